/* Calls every function with what it should not be called with. Prints `ok` when each has said no and none has crashed. */
#include <stdio.h>
#include <streamlib.h>
#include <string.h>
#include <unistd.h>

static int failed;

static void expect(int line, int found, int wanted, const char *said) {
  if (found != wanted || strstr(streamlib_last_error(), said) == NULL) {
    printf("line %d: %d instead of %d: %s\n", line, found, wanted, streamlib_last_error());
    failed = 1;
  }
}

#define EXPECT(call, status, said) expect(__LINE__, call, status, said)
#define NULLS(call, argument) EXPECT(call, STREAMLIB_ERROR_ARGUMENT, "`" argument "` is NULL")

int main(void) {
  streamlib_reader *reader = NULL;
  streamlib_publisher *publisher = NULL, *second = NULL;
  streamlib_surface *surfaces = NULL;
  streamlib_buffer buffer;
  streamlib_frame frame;
  streamlib_stats stats;
  uint64_t id = 0, other = 0;
  size_t count = 0;
  char text[4096];
  int fd = 0;

  memset(&buffer, 0, sizeof buffer);
  memset(&frame, 0, sizeof frame);
  if (strcmp(streamlib_last_error(), "") != 0) failed = 1;

  NULLS(streamlib_reader_open(NULL, 0, &reader), "name");
  NULLS(streamlib_reader_open("a", 0, NULL), "reader");
  NULLS(streamlib_reader_acquire(NULL, 0, &frame), "reader");
  NULLS(streamlib_reader_buffer(NULL, 1, &buffer, &fd), "reader");
  NULLS(streamlib_reader_stay_awake(NULL, 0), "reader");
  NULLS(streamlib_reader_reopen(NULL), "reader");
  streamlib_reader_close(NULL);
  streamlib_frame_release(NULL);
  streamlib_frame_release(&frame);
  NULLS(streamlib_publisher_create(NULL, 0, 0, &publisher), "name");
  NULLS(streamlib_publisher_create("a", 0, 0, NULL), "publisher");
  NULLS(streamlib_publisher_add_buffer(NULL, &buffer, 0, &id), "publisher");
  NULLS(streamlib_publisher_remove_buffer(NULL, 1), "publisher");
  NULLS(streamlib_publisher_take(NULL, &id), "publisher");
  NULLS(streamlib_publisher_publish(NULL, 1, NULL, NULL), "publisher");
  NULLS(streamlib_publisher_give_back(NULL, 1), "publisher");
  NULLS(streamlib_publisher_stats(NULL, &stats), "publisher");
  NULLS(streamlib_publisher_count_dropped(NULL, 1), "publisher");
  streamlib_publisher_close(NULL);
  NULLS(streamlib_list(NULL, &count), "surfaces");
  NULLS(streamlib_list(&surfaces, NULL), "count");
  streamlib_list_free(NULL, 7);

  EXPECT(streamlib_reader_open("a b", 0, &reader), STREAMLIB_ERROR_BAD_NAME, "\"a b\"");
  EXPECT(streamlib_reader_open("\xff\xfe", 0, &reader), STREAMLIB_ERROR_BAD_NAME, "no name");
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = 0;
  EXPECT(streamlib_publisher_create(text, 0, 0, &publisher), STREAMLIB_ERROR_BAD_NAME, "64 bytes");
  EXPECT(streamlib_publisher_create("", 0, 0, &publisher), STREAMLIB_ERROR_BAD_NAME, "64 bytes");
  EXPECT(streamlib_publisher_create("a", 3, 0, &publisher), STREAMLIB_ERROR_ARGUMENT, "`access` is 3");
  EXPECT(streamlib_reader_open("nobody", 0, &reader), STREAMLIB_ERROR_NO_BROKER, "no broker");
  /* What fails writes nothing. */
  if (reader != NULL || publisher != NULL) failed = 1;
  /* Where nobody publishes there are no surfaces. */
  EXPECT(streamlib_list(&surfaces, &count), STREAMLIB_OK, "");
  if (surfaces != NULL || count != 0) failed = 1;

  EXPECT(streamlib_publisher_create("mine", 0, 0, &publisher), STREAMLIB_OK, "");
  EXPECT(streamlib_publisher_create("mine", 0, 0, &second), STREAMLIB_ERROR_NAME_TAKEN, "mine");
  EXPECT(streamlib_reader_open("nobody", 0, &reader), STREAMLIB_ERROR_NO_SURFACE, "there are mine");
  NULLS(streamlib_publisher_add_buffer(publisher, NULL, 0, &id), "buffer");
  NULLS(streamlib_publisher_add_buffer(publisher, &buffer, 0, NULL), "id");
  NULLS(streamlib_publisher_take(publisher, NULL), "id");
  NULLS(streamlib_publisher_stats(publisher, NULL), "stats");
  EXPECT(streamlib_publisher_add_buffer(publisher, &buffer, 0, &id), STREAMLIB_ERROR_ARGUMENT, "buffer->kind");
  buffer.kind = 99;
  EXPECT(streamlib_publisher_add_buffer(publisher, &buffer, 0, &id), STREAMLIB_ERROR_ARGUMENT, "buffer->kind` is 99");
  buffer.kind = STREAMLIB_MEMORY;
  EXPECT(streamlib_publisher_add_buffer(publisher, &buffer, 0, &id), STREAMLIB_ERROR_ARGUMENT, "buffer->width");
  buffer.width = buffer.height = 16;
  EXPECT(streamlib_publisher_add_buffer(publisher, &buffer, 0, &id), STREAMLIB_ERROR_ARGUMENT, "buffer->format");
  buffer.format = STREAMLIB_R8;
  EXPECT(streamlib_publisher_add_buffer(publisher, &buffer, -1, &id), STREAMLIB_ERROR_ARGUMENT, "`fd` is -1");
  EXPECT(streamlib_publisher_add_buffer(publisher, &buffer, 12345, &id), STREAMLIB_ERROR_SYSTEM, "duplicate");

  EXPECT(streamlib_publisher_take(publisher, &id), STREAMLIB_ERROR_NO_FREE_BUFFER, "none of the 0 buffers");
  EXPECT(streamlib_publisher_publish(publisher, 1, NULL, NULL), STREAMLIB_ERROR_NO_BUFFER, "no buffer 1");
  EXPECT(streamlib_publisher_remove_buffer(publisher, 1), STREAMLIB_ERROR_NO_BUFFER, "no buffer 1");
  EXPECT(streamlib_publisher_add_buffer(publisher, &buffer, STDIN_FILENO, &id), STREAMLIB_OK, "");
  EXPECT(streamlib_publisher_publish(publisher, id, NULL, NULL), STREAMLIB_ERROR_NOT_TAKEN, "not taken");
  EXPECT(streamlib_publisher_give_back(publisher, id), STREAMLIB_ERROR_NOT_TAKEN, "not taken");
  EXPECT(streamlib_publisher_take(publisher, &other), STREAMLIB_OK, "");
  if (other != id) failed = 1;
  EXPECT(streamlib_publisher_take(publisher, &other), STREAMLIB_ERROR_NO_FREE_BUFFER, "none of the 1 buffers");
  EXPECT(streamlib_publisher_give_back(publisher, id), STREAMLIB_OK, "");
  EXPECT(streamlib_publisher_take(publisher, &other), STREAMLIB_OK, "");
  EXPECT(streamlib_publisher_remove_buffer(publisher, id), STREAMLIB_OK, "");
  EXPECT(streamlib_publisher_publish(publisher, id, NULL, NULL), STREAMLIB_ERROR_NO_BUFFER, "no buffer");

  EXPECT(streamlib_reader_open("mine", 0, &reader), STREAMLIB_OK, "");
  NULLS(streamlib_reader_acquire(reader, 0, NULL), "frame");
  EXPECT(streamlib_reader_stay_awake(reader, -1), STREAMLIB_ERROR_ARGUMENT, "`awake_ns` is -1");
  EXPECT(streamlib_reader_stay_awake(reader, INT64_MAX), STREAMLIB_OK, "");
  EXPECT(streamlib_reader_acquire(reader, 0, &frame), STREAMLIB_TIMEOUT, "");
  EXPECT(streamlib_reader_buffer(reader, 0, &buffer, &fd), STREAMLIB_ERROR_NO_BUFFER, "seen no frame");
  EXPECT(streamlib_reader_buffer(reader, UINT64_MAX, &buffer, &fd), STREAMLIB_ERROR_NO_BUFFER, "seen no frame");
  EXPECT(streamlib_reader_acquire(reader, 0, &frame), STREAMLIB_TIMEOUT, "");
  streamlib_publisher_close(publisher);
  EXPECT(streamlib_reader_acquire(reader, -1, &frame), STREAMLIB_ERROR_PUBLISHER_GONE, "mine");
  EXPECT(streamlib_reader_reopen(reader), STREAMLIB_ERROR_NO_BROKER, "");
  streamlib_reader_close(reader);
  puts(failed ? "failed" : "ok");
  return failed;
}
