/* The frames that elements downstream hold. They may outlive the source. */
#ifndef STREAMLIB_LEASES_H
#define STREAMLIB_LEASES_H

#include <gst/gst.h>
#include <streamlib.h>

G_BEGIN_DECLS

typedef struct _Leases Leases;

Leases *leases_new (void);
Leases *leases_ref (Leases *leases);
void leases_unref (Leases *leases);

/* Makes leases_wait() return, and not wait any more, until it is told FALSE. */
void leases_set_flushing (Leases *leases, gboolean flushing);

gboolean leases_are_flushing (Leases *leases);

/* Waits until another frame may be held; FALSE when it is not to wait any more. */
gboolean leases_wait (Leases *leases);

/* Releases `frame` when `memory`, in which GStreamer has it, is freed. */
void leases_attach (Leases *leases, GstMemory *memory, const streamlib_frame *frame);

G_END_DECLS

#endif
