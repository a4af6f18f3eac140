/*
 * A reader that does what it is told, one word a line, and prints what came of it:
 *   open NAME | acquire MS | look | release | reopen | close
 * It keeps what it acquires until it is told to release the oldest. `look` prints the bytes of the newest one's first row.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <streamlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 8 };

static streamlib_frame frames[KEPT];
static int kept;

static void say(int status) { printf("%d %s\n", status, status < 0 ? streamlib_last_error() : ""); }

static void look(streamlib_reader *reader) {
  const streamlib_frame *frame = &frames[kept - 1];
  unsigned char row[64];
  streamlib_buffer buffer;
  ssize_t found;
  int fd, status = streamlib_reader_buffer(reader, frame->buffer, &buffer, &fd);

  if (status != STREAMLIB_OK) {
    say(status);
    return;
  }
  found = pread(fd, row, buffer.width < sizeof row ? buffer.width : sizeof row, (off_t)buffer.offset);
  printf("kind %" PRIu32 " format %" PRIu32 " size %" PRIu32 "x%" PRIu32 " allocation %" PRIu64 " tiling %" PRIu64
         " offset %" PRIu64 " pitch %" PRIu64 " device %.16s driver %.16s row",
         buffer.kind, buffer.format, buffer.width, buffer.height, buffer.allocation, buffer.tiling, buffer.offset,
         buffer.pitch, (const char *)buffer.device_uuid, (const char *)buffer.driver_uuid);
  for (ssize_t i = 0; i < found; i++) printf(" %d", row[i]);
  putchar('\n');
  close(fd);
}

static void acquire(streamlib_reader *reader, int64_t timeout) {
  streamlib_frame *frame = &frames[kept];
  int status = streamlib_reader_acquire(reader, timeout, frame);

  if (status != STREAMLIB_OK) {
    say(status);
    return;
  }
  kept++;
  printf("frame %" PRIu64 " size %" PRIu32 "x%" PRIu32 " format %" PRIu32 " skipped %" PRIu64 " captured %" PRId64
         " sequence %" PRIu64 " camera %d",
         frame->number, frame->width, frame->height, frame->format, frame->skipped, frame->meta.captured_ns,
         frame->meta.sequence, (int)frame->meta.has_camera);
  for (int i = 0; i < 4; i++) printf(" %g", (double)frame->meta.intrinsics[i]);
  for (int i = 0; i < 16; i++) printf(" %g", (double)frame->meta.world_from_camera[i]);
  printf("%s\n", frame->published_ns > 0 && frame->lease != NULL ? "" : " broken");
}

int main(void) {
  streamlib_reader *reader = NULL;
  char line[256], word[32], argument[200];

  while (fgets(line, sizeof line, stdin) != NULL) {
    argument[0] = 0;
    if (sscanf(line, "%31s %199s", word, argument) < 1) continue;
    if (!strcmp(word, "open")) say(streamlib_reader_open(argument, 10000, &reader));
    if (!strcmp(word, "acquire")) acquire(reader, atoll(argument));
    if (!strcmp(word, "look")) look(reader);
    if (!strcmp(word, "reopen")) say(streamlib_reader_reopen(reader));
    if (!strcmp(word, "release")) {
      streamlib_frame_release(&frames[0]);
      memmove(frames, frames + 1, (size_t)--kept * sizeof *frames);
      say(0);
    }
    if (!strcmp(word, "close")) {
      streamlib_reader_close(reader);
      reader = NULL;
      say(0);
    }
    fflush(stdout);
  }
  return 0;
}
