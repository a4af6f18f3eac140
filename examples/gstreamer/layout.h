/* What GStreamer has to know of a buffer of a surface. */
#ifndef STREAMLIB_LAYOUT_H
#define STREAMLIB_LAYOUT_H

#include <gst/video/video.h>
#include <streamlib.h>

G_BEGIN_DECLS

/*
 * Checks that GStreamer can take a buffer: that its texels have a format there, that its memory can be handed on, and that its
 * rows lie within the memory that `fd` really has. If not, says why, as text to be freed.
 */
gchar *streamlib_layout_fault (const streamlib_buffer *buffer, int fd);

/* Whether programs without a GPU find its texels in rows. */
gboolean streamlib_layout_has_rows (const streamlib_buffer *buffer);

GstVideoFormat streamlib_layout_format (const streamlib_buffer *buffer);

/*
 * The caps of frames in such buffers: first those for everybody, if there are rows; then those for elements that import DMA-BUFs, which
 * GStreamer has from 1.24 on. Empty if there are none.
 */
GstCaps *streamlib_layout_caps (const streamlib_buffer *buffer);

/* The memory of a buffer, which takes `fd`. */
GstMemory *streamlib_layout_memory (const streamlib_buffer *buffer, int fd);

G_END_DECLS

#endif
