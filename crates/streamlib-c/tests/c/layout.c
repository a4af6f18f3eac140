/* Prints what the compiler makes of the header: sizes, offsets and values, one a line. */
#include <stdio.h>
#include <streamlib.h>

#define SIZE(type) printf("sizeof " #type " %lu\n", (unsigned long)sizeof(type))
#define FIELD(type, field)                                                                                   \
  printf("field " #type "." #field " %lu %lu\n", (unsigned long)offsetof(type, field), (unsigned long)sizeof(((type *)0)->field))
#define VALUE(name) printf("value " #name " %d\n", (int)name)

int main(void) {
  SIZE(streamlib_buffer);
  FIELD(streamlib_buffer, kind);
  FIELD(streamlib_buffer, format);
  FIELD(streamlib_buffer, width);
  FIELD(streamlib_buffer, height);
  FIELD(streamlib_buffer, allocation);
  FIELD(streamlib_buffer, tiling);
  FIELD(streamlib_buffer, offset);
  FIELD(streamlib_buffer, pitch);
  FIELD(streamlib_buffer, device_uuid);
  FIELD(streamlib_buffer, driver_uuid);
  SIZE(streamlib_meta);
  FIELD(streamlib_meta, captured_ns);
  FIELD(streamlib_meta, sequence);
  FIELD(streamlib_meta, has_camera);
  FIELD(streamlib_meta, intrinsics);
  FIELD(streamlib_meta, world_from_camera);
  SIZE(streamlib_frame);
  FIELD(streamlib_frame, lease);
  FIELD(streamlib_frame, number);
  FIELD(streamlib_frame, buffer);
  FIELD(streamlib_frame, width);
  FIELD(streamlib_frame, height);
  FIELD(streamlib_frame, format);
  FIELD(streamlib_frame, published_ns);
  FIELD(streamlib_frame, skipped);
  FIELD(streamlib_frame, meta);
  SIZE(streamlib_stats);
  FIELD(streamlib_stats, published);
  FIELD(streamlib_stats, dropped);
  FIELD(streamlib_stats, readers);
  FIELD(streamlib_stats, released);
  FIELD(streamlib_stats, skipped);
  SIZE(streamlib_surface);
  FIELD(streamlib_surface, name);
  FIELD(streamlib_surface, pid);
  FIELD(streamlib_surface, uid);
  FIELD(streamlib_surface, width);
  FIELD(streamlib_surface, height);
  FIELD(streamlib_surface, format);
  FIELD(streamlib_surface, rate);
  FIELD(streamlib_surface, readers);
  FIELD(streamlib_surface, published);
  FIELD(streamlib_surface, dropped);
  FIELD(streamlib_surface, newest_age_ns);

  VALUE(STREAMLIB_OK);
  VALUE(STREAMLIB_TIMEOUT);
  VALUE(STREAMLIB_ERROR_ARGUMENT);
  VALUE(STREAMLIB_ERROR_BAD_NAME);
  VALUE(STREAMLIB_ERROR_NO_BROKER);
  VALUE(STREAMLIB_ERROR_NO_SURFACE);
  VALUE(STREAMLIB_ERROR_NAME_TAKEN);
  VALUE(STREAMLIB_ERROR_NOT_PERMITTED);
  VALUE(STREAMLIB_ERROR_TOO_MANY);
  VALUE(STREAMLIB_ERROR_PUBLISHER_GONE);
  VALUE(STREAMLIB_ERROR_PUBLISHER_SILENT);
  VALUE(STREAMLIB_ERROR_NO_BUFFER);
  VALUE(STREAMLIB_ERROR_TOO_MANY_FRAMES);
  VALUE(STREAMLIB_ERROR_NO_FREE_BUFFER);
  VALUE(STREAMLIB_ERROR_NOT_TAKEN);
  VALUE(STREAMLIB_ERROR_PROTOCOL);
  VALUE(STREAMLIB_ERROR_SYSTEM);
  VALUE(STREAMLIB_ERROR_INTERNAL);
  VALUE(STREAMLIB_OPAQUE_FD);
  VALUE(STREAMLIB_DMA_BUF);
  VALUE(STREAMLIB_MEMORY);
  VALUE(STREAMLIB_RGBA8);
  VALUE(STREAMLIB_RGBA8_SRGB);
  VALUE(STREAMLIB_BGRA8);
  VALUE(STREAMLIB_BGRA8_SRGB);
  VALUE(STREAMLIB_RGBA16_FLOAT);
  VALUE(STREAMLIB_R8);
  VALUE(STREAMLIB_RG8);
  VALUE(STREAMLIB_MAX_FRAMES);
  VALUE(STREAMLIB_ACCESS_USER);
  VALUE(STREAMLIB_ACCESS_GROUP);
  VALUE(STREAMLIB_ACCESS_EVERYONE);
  return 0;
}
