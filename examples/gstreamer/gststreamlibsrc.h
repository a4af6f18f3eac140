#ifndef GST_STREAMLIB_SRC_H
#define GST_STREAMLIB_SRC_H

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_STREAMLIB_SRC (gst_streamlib_src_get_type ())
G_DECLARE_FINAL_TYPE (GstStreamlibSrc, gst_streamlib_src, GST, STREAMLIB_SRC, GstPushSrc)

G_END_DECLS

#endif
