#include "leases.h"

struct _Leases {
  gatomicrefcount references;
  GMutex lock;
  GCond changed;
  guint held;
  gboolean flushing;
};

typedef struct {
  Leases *leases;
  streamlib_frame frame;
} Held;

Leases *
leases_new (void)
{
  Leases *leases = g_new0 (Leases, 1);

  g_atomic_ref_count_init (&leases->references);
  g_mutex_init (&leases->lock);
  g_cond_init (&leases->changed);
  return leases;
}

Leases *
leases_ref (Leases *leases)
{
  g_atomic_ref_count_inc (&leases->references);
  return leases;
}

void
leases_unref (Leases *leases)
{
  if (!g_atomic_ref_count_dec (&leases->references))
    return;
  g_mutex_clear (&leases->lock);
  g_cond_clear (&leases->changed);
  g_free (leases);
}

void
leases_set_flushing (Leases *leases, gboolean flushing)
{
  g_mutex_lock (&leases->lock);
  leases->flushing = flushing;
  g_cond_broadcast (&leases->changed);
  g_mutex_unlock (&leases->lock);
}

gboolean
leases_are_flushing (Leases *leases)
{
  gboolean flushing;

  g_mutex_lock (&leases->lock);
  flushing = leases->flushing;
  g_mutex_unlock (&leases->lock);
  return flushing;
}

gboolean
leases_wait (Leases *leases)
{
  gboolean flushing;

  g_mutex_lock (&leases->lock);
  while (leases->held >= STREAMLIB_MAX_FRAMES && !leases->flushing)
    g_cond_wait (&leases->changed, &leases->lock);
  flushing = leases->flushing;
  g_mutex_unlock (&leases->lock);
  return !flushing;
}

static void
release (gpointer data)
{
  Held *held = data;

  /* First the frame, so that whoever waits for a place finds one. */
  streamlib_frame_release (&held->frame);
  g_mutex_lock (&held->leases->lock);
  held->leases->held--;
  g_cond_broadcast (&held->leases->changed);
  g_mutex_unlock (&held->leases->lock);
  leases_unref (held->leases);
  g_free (held);
}

void
leases_attach (Leases *leases, GstMemory *memory, const streamlib_frame *frame)
{
  Held *held = g_new (Held, 1);

  held->leases = leases_ref (leases);
  held->frame = *frame;
  g_mutex_lock (&leases->lock);
  leases->held++;
  g_mutex_unlock (&leases->lock);
  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (memory),
      g_quark_from_static_string ("streamlib-lease"), held, release);
}
