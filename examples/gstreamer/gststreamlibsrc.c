/*
 * streamlibsrc: the frames of a surface of streamlib as a live source of GStreamer, without a copy. Each buffer holds its frame until
 * GStreamer frees it.
 */
#include "gststreamlibsrc.h"

#include <time.h>
#include <unistd.h>

#include "layout.h"
#include "leases.h"

GST_DEBUG_CATEGORY_STATIC (streamlib_src_debug);
#define GST_CAT_DEFAULT streamlib_src_debug

/* A wait looks this often whether it is to stop, in milliseconds. */
#define SLICE 50
#define DEFAULT_TIMEOUT 5000
/* A capture time that lies so long before the publication is none of this clock's. */
#define STRANGE (10 * GST_SECOND)

enum { PROP_SURFACE = 1, PROP_TIMEOUT };

struct _GstStreamlibSrc {
  GstPushSrc parent;

  gchar *surface;
  gint timeout;

  Leases *leases;
  streamlib_reader *reader;
  /* Buffers of the surface that are known, by id. */
  GHashTable *known;

  /* What the caps say, and how frames lie in memory. */
  streamlib_buffer layout;
  gboolean has_caps;
  GstVideoInfo info;
  /* Rows are copied where elements downstream want them closer together and do not know of GstVideoMeta. */
  gboolean must_copy;

  /* How long frames take from their capture to their publication, as the pipeline was told. */
  GstClockTime latency;
};

typedef struct {
  streamlib_buffer layout;
  GstMemory *memory;
} Known;

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE ("{ RGBA, BGRA, GRAY8 }") "; "
        "video/x-raw(memory:DMABuf), format = (string) DMA_DRM, width = " GST_VIDEO_SIZE_RANGE ", "
        "height = " GST_VIDEO_SIZE_RANGE ", framerate = " GST_VIDEO_FPS_RANGE));

G_DEFINE_TYPE (GstStreamlibSrc, gst_streamlib_src, GST_TYPE_PUSH_SRC)

static void
known_free (gpointer data)
{
  Known *known = data;

  gst_memory_unref (known->memory);
  g_free (known);
}

/* ------------------------------------------------------------ the surface */

/* Opens the surface, if it is not open; waits for it as long as the property says. */
static GstFlowReturn
open_surface (GstStreamlibSrc *self)
{
  const gint64 deadline = g_get_monotonic_time () + (gint64) self->timeout * 1000;

  while (self->reader == NULL) {
    int status;

    if (leases_are_flushing (self->leases))
      return GST_FLOW_FLUSHING;
    status = streamlib_reader_open (self->surface, SLICE, &self->reader);
    if (status == STREAMLIB_OK)
      break;
    if ((status == STREAMLIB_ERROR_NO_SURFACE || status == STREAMLIB_ERROR_NO_BROKER
            || status == STREAMLIB_ERROR_PUBLISHER_GONE || status == STREAMLIB_ERROR_PUBLISHER_SILENT)
        && (self->timeout < 0 || g_get_monotonic_time () < deadline))
      continue;
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND, ("%s", streamlib_last_error ()),
        ("opening the surface \"%s\": error %d", self->surface, status));
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

/* Acquires the next frame. */
static GstFlowReturn
acquire (GstStreamlibSrc *self, streamlib_frame *frame)
{
  for (;;) {
    int status;

    if (!leases_wait (self->leases))
      return GST_FLOW_FLUSHING;
    status = streamlib_reader_acquire (self->reader, SLICE, frame);
    if (status == STREAMLIB_OK)
      return GST_FLOW_OK;
    if (status == STREAMLIB_ERROR_PUBLISHER_GONE) {
      GST_INFO_OBJECT (self, "%s", streamlib_last_error ());
      return GST_FLOW_EOS;
    }
    if (status != STREAMLIB_TIMEOUT) {
      GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s", streamlib_last_error ()), ("error %d", status));
      return GST_FLOW_ERROR;
    }
  }
}

/* The buffer that a frame lies in; NULL when there is none that GStreamer can take. */
static Known *
look_up (GstStreamlibSrc *self, guint64 id, int *status)
{
  Known *known = g_hash_table_lookup (self->known, &id);
  streamlib_buffer layout;
  GstMemory *memory;
  gchar *fault;
  int fd;

  *status = STREAMLIB_OK;
  if (known != NULL)
    return known;
  *status = streamlib_reader_buffer (self->reader, id, &layout, &fd);
  if (*status != STREAMLIB_OK)
    return NULL;
  fault = streamlib_layout_fault (&layout, fd);
  if (fault != NULL) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("The surface %s cannot be read here: %s.", self->surface, fault), (NULL));
    g_free (fault);
    close (fd);
    return NULL;
  }
  memory = streamlib_layout_memory (&layout, fd);
  if (memory == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("GStreamer does not take a buffer of the surface %s.", self->surface), (NULL));
    close (fd);
    return NULL;
  }
  /* A surface has far fewer, unless it changes its size all the time. */
  if (g_hash_table_size (self->known) >= 64)
    g_hash_table_remove_all (self->known);
  known = g_new (Known, 1);
  known->layout = layout;
  known->memory = memory;
  g_hash_table_insert (self->known, g_memdup2 (&id, sizeof id), known);
  return known;
}

/* --------------------------------------------------------------- the caps */

/* Agrees with the elements downstream on what frames are from here on. */
static GstFlowReturn
set_caps (GstStreamlibSrc *self, const streamlib_buffer *layout)
{
  GstPad *pad = GST_BASE_SRC_PAD (self);
  GstCaps *possible = streamlib_layout_caps (layout);
  GstCaps *caps = gst_pad_peer_query_caps (pad, possible);
  GstQuery *query;

  if (gst_caps_is_empty (caps)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("No element after this one takes the frames of the surface %s.", self->surface),
        ("they are %" GST_PTR_FORMAT "; publish it with `?memory=dma-buf-linear` for elements that do not import DMA-BUFs",
            possible));
    gst_caps_unref (possible);
    gst_caps_unref (caps);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  gst_caps_unref (possible);
  caps = gst_caps_fixate (caps);
  if (!gst_base_src_set_caps (GST_BASE_SRC (self), caps)) {
    gst_caps_unref (caps);
    return GST_FLOW_NOT_NEGOTIATED;
  }

  self->layout = *layout;
  self->has_caps = TRUE;
  self->must_copy = FALSE;
  gst_video_info_set_format (&self->info, streamlib_layout_format (layout), layout->width, layout->height);
  if (streamlib_layout_has_rows (layout)) {
    gboolean as_usual = layout->offset == 0 && layout->pitch == (guint64) GST_VIDEO_INFO_PLANE_STRIDE (&self->info, 0);

    query = gst_query_new_allocation (caps, FALSE);
    if (!as_usual && !gst_pad_peer_query (pad, query))
      GST_DEBUG_OBJECT (self, "nobody downstream says what memory it likes");
    self->must_copy = !as_usual && !gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
    gst_query_unref (query);
  }
  gst_caps_unref (caps);
  return GST_FLOW_OK;
}

static gboolean
is_same_shape (const streamlib_buffer *a, const streamlib_buffer *b)
{
  return a->kind == b->kind && a->format == b->format && a->width == b->width && a->height == b->height
      && a->tiling == b->tiling && a->offset == b->offset && a->pitch == b->pitch;
}

/* ------------------------------------------------------------- the frames */

static GstClockTime
monotonic_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return GST_TIMESPEC_TO_TIME (now);
}

/* The time of a frame on the pipeline's clock, since it began; the capture's, if that was on this machine's clock. */
static void
stamp (GstStreamlibSrc *self, GstBuffer *buffer, const streamlib_frame *frame)
{
  GstClock *clock = gst_element_get_clock (GST_ELEMENT (self));
  GstClockTime now = monotonic_now (), captured = frame->meta.captured_ns, published = frame->published_ns;
  GstClockTime age, latency, running;

  if (frame->meta.captured_ns <= 0 || captured > published || published - captured > STRANGE)
    captured = published;
  latency = published - captured;
  age = captured < now ? now - captured : 0;
  GST_BUFFER_OFFSET (buffer) = frame->meta.sequence;
  if (frame->skipped > 0)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  if (clock == NULL)
    return;
  running = gst_clock_get_time (clock) - gst_element_get_base_time (GST_ELEMENT (self));
  gst_object_unref (clock);
  GST_BUFFER_PTS (buffer) = running > age ? running - age : 0;

  GST_OBJECT_LOCK (self);
  if (latency > self->latency) {
    /* With room, so that it is not told of again and again. */
    self->latency = latency + latency / 2;
    GST_OBJECT_UNLOCK (self);
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
  } else {
    GST_OBJECT_UNLOCK (self);
  }
}

/* A buffer with a copy of the frame, its rows as close together as usual. */
static GstBuffer *
copied (GstStreamlibSrc *self, GstBuffer *buffer)
{
  GstBuffer *copy = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&self->info), NULL);
  GstVideoFrame from, to;
  gboolean done = FALSE;

  if (gst_video_frame_map (&from, &self->info, buffer, GST_MAP_READ)) {
    if (gst_video_frame_map (&to, &self->info, copy, GST_MAP_WRITE)) {
      done = gst_video_frame_copy (&to, &from);
      gst_video_frame_unmap (&to);
    }
    gst_video_frame_unmap (&from);
  }
  gst_buffer_copy_into (copy, buffer, GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  gst_buffer_unref (buffer);
  if (!done)
    gst_clear_buffer (&copy);
  return copy;
}

/* The frame as a buffer of GStreamer, which releases it. */
static GstBuffer *
wrap (GstStreamlibSrc *self, const streamlib_frame *frame, const Known *known)
{
  GstBuffer *buffer = gst_buffer_new ();
  /* Of its own, because whoever keeps the memory keeps the frame, also without the buffer around it. */
  GstMemory *memory = gst_memory_share (known->memory, 0, -1);
  gsize offset[GST_VIDEO_MAX_PLANES] = { known->layout.offset, };
  gint stride[GST_VIDEO_MAX_PLANES] = { (gint) known->layout.pitch, };

  leases_attach (self->leases, memory, frame);
  gst_buffer_append_memory (buffer, memory);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, streamlib_layout_format (&known->layout),
      known->layout.width, known->layout.height, 1, offset, stride);
  stamp (self, buffer, frame);
  return self->must_copy ? copied (self, buffer) : buffer;
}

static GstFlowReturn
create (GstPushSrc *source, GstBuffer **buffer)
{
  GstStreamlibSrc *self = GST_STREAMLIB_SRC (source);
  streamlib_frame frame;
  Known *known;
  GstFlowReturn flow = open_surface (self);
  int status = STREAMLIB_OK;

  if (flow != GST_FLOW_OK)
    return flow;
  do {
    flow = acquire (self, &frame);
    if (flow != GST_FLOW_OK)
      return flow;
    known = look_up (self, frame.buffer, &status);
    if (known == NULL)
      streamlib_frame_release (&frame);
    /* The publisher has replaced the buffer meanwhile; or it has ended, of which the next round tells. */
  } while (status == STREAMLIB_ERROR_NO_BUFFER || status == STREAMLIB_ERROR_PUBLISHER_GONE);
  if (status != STREAMLIB_OK)
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s", streamlib_last_error ()), ("error %d", status));
  if (known == NULL)
    return GST_FLOW_ERROR;

  if (!self->has_caps || !is_same_shape (&self->layout, &known->layout)) {
    flow = set_caps (self, &known->layout);
    if (flow != GST_FLOW_OK) {
      streamlib_frame_release (&frame);
      return flow;
    }
  }
  *buffer = wrap (self, &frame, known);
  return *buffer != NULL ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* ------------------------------------------------------------ the element */

static gboolean
start (GstBaseSrc *source)
{
  GstStreamlibSrc *self = GST_STREAMLIB_SRC (source);

  if (self->surface == NULL || *self->surface == '\0') {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Which surface? Set the property `surface`; `streamlib surfaces` lists those that there are."), (NULL));
    return FALSE;
  }
  self->has_caps = FALSE;
  self->latency = 0;
  return TRUE;
}

static gboolean
stop (GstBaseSrc *source)
{
  GstStreamlibSrc *self = GST_STREAMLIB_SRC (source);

  g_hash_table_remove_all (self->known);
  streamlib_reader_close (self->reader);
  self->reader = NULL;
  return TRUE;
}

static gboolean
unlock (GstBaseSrc *source)
{
  leases_set_flushing (GST_STREAMLIB_SRC (source)->leases, TRUE);
  return TRUE;
}

static gboolean
unlock_stop (GstBaseSrc *source)
{
  leases_set_flushing (GST_STREAMLIB_SRC (source)->leases, FALSE);
  return TRUE;
}

/* What frames are is known when the first one is there. */
static gboolean
negotiate (GstBaseSrc *source)
{
  GST_STREAMLIB_SRC (source)->has_caps = FALSE;
  return TRUE;
}

/* The publisher has allocated. */
static gboolean
decide_allocation (G_GNUC_UNUSED GstBaseSrc *source, G_GNUC_UNUSED GstQuery *query)
{
  return TRUE;
}

static gboolean
answer (GstBaseSrc *source, GstQuery *query)
{
  GstStreamlibSrc *self = GST_STREAMLIB_SRC (source);

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS (gst_streamlib_src_parent_class)->query (source, query);
  GST_OBJECT_LOCK (self);
  gst_query_set_latency (query, TRUE, self->latency, GST_CLOCK_TIME_NONE);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstStreamlibSrc *self = GST_STREAMLIB_SRC (object);

  switch (id) {
    case PROP_SURFACE:
      g_free (self->surface);
      self->surface = g_value_dup_string (value);
      break;
    case PROP_TIMEOUT:
      self->timeout = g_value_get_int (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstStreamlibSrc *self = GST_STREAMLIB_SRC (object);

  switch (id) {
    case PROP_SURFACE:
      g_value_set_string (value, self->surface);
      break;
    case PROP_TIMEOUT:
      g_value_set_int (value, self->timeout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
}

static void
finalize (GObject *object)
{
  GstStreamlibSrc *self = GST_STREAMLIB_SRC (object);

  g_hash_table_unref (self->known);
  leases_unref (self->leases);
  g_free (self->surface);
  G_OBJECT_CLASS (gst_streamlib_src_parent_class)->finalize (object);
}

static void
gst_streamlib_src_init (GstStreamlibSrc *self)
{
  self->timeout = DEFAULT_TIMEOUT;
  self->leases = leases_new ();
  self->known = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, known_free);
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}

static void
gst_streamlib_src_class_init (GstStreamlibSrcClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  GstBaseSrcClass *source = GST_BASE_SRC_CLASS (class);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  g_object_class_install_property (object, PROP_SURFACE,
      g_param_spec_string ("surface", "Surface", "Name of the surface to read", NULL, flags));
  g_object_class_install_property (object, PROP_TIMEOUT,
      g_param_spec_int ("timeout", "Timeout", "How long to wait for the surface to come, in milliseconds (-1: for ever)",
          -1, G_MAXINT, DEFAULT_TIMEOUT, flags));

  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (element, "Surface of streamlib", "Source/Video",
      "Reads frames that another process of this machine publishes, without a copy", "The streamlib authors");

  source->start = start;
  source->stop = stop;
  source->unlock = unlock;
  source->unlock_stop = unlock_stop;
  source->negotiate = negotiate;
  source->decide_allocation = decide_allocation;
  source->query = answer;
  GST_PUSH_SRC_CLASS (class)->create = create;
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  GST_DEBUG_CATEGORY_INIT (streamlib_src_debug, "streamlibsrc", 0, "surfaces of streamlib");
  return gst_element_register (plugin, "streamlibsrc", GST_RANK_NONE, GST_TYPE_STREAMLIB_SRC);
}

#define PACKAGE "streamlib"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, streamlib, "Surfaces of streamlib", plugin_init,
    STREAMLIB_PLUGIN_VERSION, "MIT/X11", PACKAGE, "https://github.com/streamlib/streamlib")
