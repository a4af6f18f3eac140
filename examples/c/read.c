/*
 * read NAME [FRAMES [FILE.ppm]]: prints what comes from a surface, and keeps the last frame as a picture if its rows can be mapped.
 * Without NAME: lists the surfaces.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <streamlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static void die(const char *what, const char *why) {
  fprintf(stderr, "read: %s: %s\n", what, why);
  exit(1);
}

static int list(void) {
  streamlib_surface *surfaces;
  size_t count, i;

  if (streamlib_list(&surfaces, &count) != STREAMLIB_OK) die("list", streamlib_last_error());
  for (i = 0; i < count; i++)
    printf("%s %" PRIu32 "x%" PRIu32 " format %" PRIu32 ", %.1f frames/s, of process %" PRIu32 "\n", surfaces[i].name,
           surfaces[i].width, surfaces[i].height, surfaces[i].format, surfaces[i].rate, surfaces[i].pid);
  streamlib_list_free(surfaces, count);
  return 0;
}

/* Why rows of `buffer` cannot be found in `fd`, which has `bytes` bytes; NULL if they can. */
static const char *fault(const streamlib_buffer *buffer, int fd, off_t bytes) {
  const uint64_t row = (uint64_t)buffer->width * 4;

  if (buffer->kind == STREAMLIB_OPAQUE_FD || buffer->tiling != 0)
    return "its texels do not lie in rows; publish it with `?memory=dma-buf-linear`";
  if (buffer->format < STREAMLIB_RGBA8 || buffer->format > STREAMLIB_BGRA8_SRGB) return "its texels are not of four bytes";
  if (bytes <= 0 || buffer->pitch < row || buffer->pitch > (uint64_t)bytes || buffer->offset > (uint64_t)bytes ||
      buffer->height > 65536 || buffer->pitch * (buffer->height - 1) + row > (uint64_t)bytes - buffer->offset)
    return "its rows do not lie within its memory";
  if (buffer->kind == STREAMLIB_MEMORY && !(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK)) return "its memory may become shorter";
  return NULL;
}

/* Says when this program reads a DMA-BUF, so that the device's caches are written back. */
static void synchronise(const streamlib_buffer *buffer, int fd, uint64_t flags) {
  struct dma_buf_sync sync;

  sync.flags = flags | DMA_BUF_SYNC_READ;
  if (buffer->kind == STREAMLIB_DMA_BUF && ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) < 0) die("synchronise", strerror(errno));
}

static void save(const char *path, streamlib_reader *reader, const streamlib_frame *frame) {
  streamlib_buffer buffer;
  unsigned char *memory;
  const char *why;
  uint32_t x, y;
  int fd, first;
  off_t bytes;
  FILE *file;

  if (streamlib_reader_buffer(reader, frame->buffer, &buffer, &fd) != STREAMLIB_OK) die("buffer", streamlib_last_error());
  bytes = lseek(fd, 0, SEEK_END);
  why = fault(&buffer, fd, bytes);
  if (why != NULL) die(path, why);
  memory = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) die("mmap", strerror(errno));
  file = fopen(path, "wb");
  if (file == NULL) die(path, strerror(errno));

  synchronise(&buffer, fd, DMA_BUF_SYNC_START);
  first = buffer.format == STREAMLIB_BGRA8 || buffer.format == STREAMLIB_BGRA8_SRGB ? 2 : 0;
  fprintf(file, "P6\n%" PRIu32 " %" PRIu32 "\n255\n", buffer.width, buffer.height);
  for (y = 0; y < buffer.height; y++) {
    const unsigned char *texel = memory + buffer.offset + y * buffer.pitch;
    for (x = 0; x < buffer.width; x++, texel += 4) {
      putc(texel[first], file);
      putc(texel[1], file);
      putc(texel[2 - first], file);
    }
  }
  synchronise(&buffer, fd, DMA_BUF_SYNC_END);
  if (fclose(file) != 0) die(path, strerror(errno));
  munmap(memory, (size_t)bytes);
  close(fd);
}

int main(int count, char **arguments) {
  const uint64_t frames = count > 2 ? strtoull(arguments[2], NULL, 10) : UINT64_MAX;
  streamlib_reader *reader = NULL;
  uint64_t seen;

  if (count < 2) return list();
  if (streamlib_reader_open(arguments[1], 10000, &reader) != STREAMLIB_OK) die(arguments[1], streamlib_last_error());
  for (seen = 1; seen <= frames; seen++) {
    streamlib_frame frame;
    int status = streamlib_reader_acquire(reader, 10000, &frame);

    if (status == STREAMLIB_TIMEOUT) die(arguments[1], "no frame in 10 s");
    if (status == STREAMLIB_ERROR_PUBLISHER_GONE && frames == UINT64_MAX) break;
    if (status != STREAMLIB_OK) die(arguments[1], streamlib_last_error());
    printf("frame %" PRIu64 ": %" PRIu32 "x%" PRIu32 " in buffer %" PRIu64 ", sequence %" PRIu64 ", captured at %.6f s, %" PRIu64
           " skipped\n",
           frame.number, frame.width, frame.height, frame.buffer, frame.meta.sequence, (double)frame.meta.captured_ns / 1e9,
           frame.skipped);
    if (seen == frames && count > 3) save(arguments[3], reader, &frame);
    streamlib_frame_release(&frame);
  }
  streamlib_reader_close(reader);
  return 0;
}
