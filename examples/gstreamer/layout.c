#define _GNU_SOURCE
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <gst/allocators/allocators.h>
#include <unistd.h>

#define FOURCC(a, b, c, d) ((guint32) (a) | (guint32) (b) << 8 | (guint32) (c) << 16 | (guint32) (d) << 24)

/* Formats as streamlib, GStreamer and drm_fourcc.h call them. */
static const struct {
  guint32 code;
  GstVideoFormat format;
  guint32 fourcc;
  guint texel;
} FORMATS[] = {
  { STREAMLIB_RGBA8, GST_VIDEO_FORMAT_RGBA, FOURCC ('A', 'B', '2', '4'), 4 },
  { STREAMLIB_RGBA8_SRGB, GST_VIDEO_FORMAT_RGBA, FOURCC ('A', 'B', '2', '4'), 4 },
  { STREAMLIB_BGRA8, GST_VIDEO_FORMAT_BGRA, FOURCC ('A', 'R', '2', '4'), 4 },
  { STREAMLIB_BGRA8_SRGB, GST_VIDEO_FORMAT_BGRA, FOURCC ('A', 'R', '2', '4'), 4 },
  { STREAMLIB_R8, GST_VIDEO_FORMAT_GRAY8, FOURCC ('R', '8', ' ', ' '), 1 },
};

static int
format_of (const streamlib_buffer *buffer)
{
  for (guint i = 0; i < G_N_ELEMENTS (FORMATS); i++)
    if (FORMATS[i].code == buffer->format)
      return (int) i;
  return -1;
}

gboolean
streamlib_layout_has_rows (const streamlib_buffer *buffer)
{
  return buffer->tiling == 0 && buffer->kind != STREAMLIB_OPAQUE_FD;
}

GstVideoFormat
streamlib_layout_format (const streamlib_buffer *buffer)
{
  int format = format_of (buffer);

  return format < 0 ? GST_VIDEO_FORMAT_UNKNOWN : FORMATS[format].format;
}

gchar *
streamlib_layout_fault (const streamlib_buffer *buffer, int fd)
{
  int format = format_of (buffer);
  off_t bytes = lseek (fd, 0, SEEK_END);
  guint64 row, rows;

  if (buffer->kind != STREAMLIB_DMA_BUF && buffer->kind != STREAMLIB_MEMORY)
    return g_strdup ("its frames lie in memory that only the same GPU driver can open (OPAQUE_FD): "
        "publish it with `?memory=dma-buf-linear`, or `?memory=dma-buf` for elements that import DMA-BUFs");
  if (format < 0)
    return g_strdup_printf ("its texels have the format %u, which GStreamer does not have: "
        "publish it as rgba8 or bgra8", buffer->format);
  if (buffer->width > G_MAXINT16 || buffer->height > G_MAXINT16)
    return g_strdup_printf ("its frames have %ux%u pixels", buffer->width, buffer->height);
  if (bytes <= 0)
    return g_strdup_printf ("the size of its memory is not known: %s", g_strerror (bytes < 0 ? errno : EINVAL));
  if (!streamlib_layout_has_rows (buffer))
    return NULL;

  row = (guint64) buffer->width * FORMATS[format].texel;
  if (buffer->pitch < row || buffer->pitch > G_MAXINT || buffer->offset > (guint64) bytes)
    return g_strdup_printf ("its rows cannot lie %" G_GUINT64_FORMAT " bytes apart", buffer->pitch);
  rows = buffer->pitch * (buffer->height - 1) + row;
  if (rows > (guint64) bytes - buffer->offset)
    return g_strdup_printf ("its rows end beyond its memory of %" G_GINT64_FORMAT " bytes", (gint64) bytes);
  /* A publisher that makes a file shorter would end whoever has mapped it. */
  if (buffer->kind == STREAMLIB_MEMORY && !(fcntl (fd, F_GET_SEALS) & F_SEAL_SHRINK))
    return g_strdup ("its memory may become shorter: seal it with F_SEAL_SHRINK");
  return NULL;
}

GstCaps *
streamlib_layout_caps (const streamlib_buffer *buffer)
{
  int format = format_of (buffer);
  GstCaps *caps = gst_caps_new_empty ();
  guint major, minor, micro, nano;

  if (format < 0)
    return caps;
  /* Frames come when they come. */
  if (streamlib_layout_has_rows (buffer))
    gst_caps_append (caps, gst_caps_new_simple ("video/x-raw",
            "format", G_TYPE_STRING, gst_video_format_to_string (FORMATS[format].format),
            "width", G_TYPE_INT, (gint) buffer->width, "height", G_TYPE_INT, (gint) buffer->height,
            "framerate", GST_TYPE_FRACTION, 0, 1, NULL));

  gst_version (&major, &minor, &micro, &nano);
  if (buffer->kind == STREAMLIB_DMA_BUF && (major > 1 || minor >= 24)) {
    const guint32 fourcc = FORMATS[format].fourcc;
    gchar *drm = buffer->tiling == 0
        ? g_strdup_printf ("%.4s", (const gchar *) &fourcc)
        : g_strdup_printf ("%.4s:0x%016" G_GINT64_MODIFIER "x", (const gchar *) &fourcc, buffer->tiling);
    GstCaps *imported = gst_caps_new_simple ("video/x-raw",
        "format", G_TYPE_STRING, "DMA_DRM", "drm-format", G_TYPE_STRING, drm,
        "width", G_TYPE_INT, (gint) buffer->width, "height", G_TYPE_INT, (gint) buffer->height,
        "framerate", GST_TYPE_FRACTION, 0, 1, NULL);

    gst_caps_set_features (imported, 0, gst_caps_features_new ("memory:DMABuf", NULL));
    gst_caps_append (caps, imported);
    g_free (drm);
  }
  return caps;
}

GstMemory *
streamlib_layout_memory (const streamlib_buffer *buffer, int fd)
{
  gsize bytes = (gsize) lseek (fd, 0, SEEK_END);
  gboolean is_dma_buf = buffer->kind == STREAMLIB_DMA_BUF;
  GstAllocator *allocator = is_dma_buf ? gst_dmabuf_allocator_new () : gst_fd_allocator_new ();
  /* It is mapped once, not for each frame. */
  GstMemory *memory = is_dma_buf
      ? gst_dmabuf_allocator_alloc_with_flags (allocator, fd, bytes, GST_FD_MEMORY_FLAG_KEEP_MAPPED)
      : gst_fd_allocator_alloc (allocator, fd, bytes, GST_FD_MEMORY_FLAG_KEEP_MAPPED);

  gst_object_unref (allocator);
  /* Readers do not write. */
  if (memory != NULL)
    GST_MINI_OBJECT_FLAG_SET (memory, GST_MEMORY_FLAG_READONLY);
  return memory;
}
