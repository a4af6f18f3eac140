/*
 * publish NAME [FRAMES [FRAMES_A_SECOND]]: publishes a surface that this program paints itself, in memory that GPUs, encoders and screens take
 * (a DMA-BUF of /dev/udmabuf) or, where there is none, in memory for other programs in C.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <streamlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 320, HEIGHT = 240, BUFFERS = 6 };

struct canvas {
  uint64_t id;
  unsigned char *texels;
};

static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static void die(const char *what, const char *why) {
  fprintf(stderr, "publish: %s: %s\n", what, why);
  exit(1);
}

/* A descriptor for others, of `bytes` bytes that are mapped here at `texels`. */
static int allocate(size_t bytes, streamlib_buffer *buffer, unsigned char **texels) {
  int maker, memory = memfd_create("frames", MFD_CLOEXEC | MFD_ALLOW_SEALING), shared = -1;

  /* So that nobody's mapping ever ends before it should. */
  if (memory < 0 || ftruncate(memory, (off_t)bytes) < 0 || fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
    die("memory", strerror(errno));
  *texels = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (*texels == MAP_FAILED) die("memory", strerror(errno));

  maker = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
  if (maker >= 0) {
    struct udmabuf_create wanted;

    memset(&wanted, 0, sizeof wanted);
    wanted.memfd = (unsigned)memory;
    wanted.flags = UDMABUF_FLAGS_CLOEXEC;
    wanted.size = bytes;
    shared = ioctl(maker, UDMABUF_CREATE, &wanted);
    close(maker);
  }
  buffer->kind = shared < 0 ? STREAMLIB_MEMORY : STREAMLIB_DMA_BUF;
  if (shared < 0) return memory;
  close(memory);
  return shared;
}

/* Red grows to the right, green downwards, and blue from frame to frame. */
static void paint(unsigned char *texels, uint64_t pitch, uint64_t frame) {
  int x, y;

  for (y = 0; y < HEIGHT; y++) {
    unsigned char *texel = texels + (uint64_t)y * pitch;
    for (x = 0; x < WIDTH; x++, texel += 4) {
      texel[0] = (unsigned char)x;
      texel[1] = (unsigned char)y;
      texel[2] = (unsigned char)frame;
      texel[3] = 255;
    }
  }
}

static void wait_a_frame(struct timespec *due, double rate) {
  due->tv_nsec += (long)(1e9 / rate);
  while (due->tv_nsec >= 1000000000L) {
    due->tv_nsec -= 1000000000L;
    due->tv_sec++;
  }
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, due, NULL);
}

int main(int count, char **arguments) {
  const char *name = count > 1 ? arguments[1] : "painted";
  const uint64_t frames = count > 2 ? strtoull(arguments[2], NULL, 10) : UINT64_MAX;
  const double rate = count > 3 ? atof(arguments[3]) : 30.0;
  streamlib_publisher *publisher = NULL;
  struct canvas canvases[BUFFERS];
  streamlib_buffer buffer;
  struct timespec due;
  uint64_t frame;
  size_t bytes;
  int i;

  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  if (rate < 1.0 || rate > 1000.0) die(arguments[3], "a rate is from 1 to 1000 frames a second");
  if (streamlib_publisher_create(name, STREAMLIB_ACCESS_USER, 0, &publisher) != STREAMLIB_OK)
    die(name, streamlib_last_error());

  memset(&buffer, 0, sizeof buffer);
  buffer.format = STREAMLIB_RGBA8;
  buffer.width = WIDTH;
  buffer.height = HEIGHT;
  /* Devices like rows to begin at multiples of 256 bytes, and DMA-BUFs are whole pages. */
  buffer.pitch = (WIDTH * 4 + 255) / 256 * 256;
  bytes = (size_t)(buffer.pitch * HEIGHT + 4095) / 4096 * 4096;
  buffer.allocation = bytes;
  for (i = 0; i < BUFFERS; i++) {
    int fd = allocate(bytes, &buffer, &canvases[i].texels);
    if (streamlib_publisher_add_buffer(publisher, &buffer, fd, &canvases[i].id) != STREAMLIB_OK)
      die(name, streamlib_last_error());
    close(fd);
  }
  printf("%s: %dx%d in %s\n", name, WIDTH, HEIGHT, buffer.kind == STREAMLIB_DMA_BUF ? "DMA-BUFs" : "memory files");
  fflush(stdout);

  clock_gettime(CLOCK_MONOTONIC, &due);
  for (frame = 0; frame < frames && !stopped; frame++) {
    streamlib_meta meta;
    uint64_t id;

    wait_a_frame(&due, rate);
    if (streamlib_publisher_take(publisher, &id) != STREAMLIB_OK) {
      streamlib_publisher_count_dropped(publisher, 1);
      continue;
    }
    for (i = 0; canvases[i].id != id; i++) {
    }
    memset(&meta, 0, sizeof meta);
    meta.captured_ns = (int64_t)due.tv_sec * 1000000000 + due.tv_nsec;
    meta.sequence = frame;
    paint(canvases[i].texels, buffer.pitch, frame);
    streamlib_publisher_publish(publisher, id, &meta, NULL);
  }
  streamlib_publisher_close(publisher);
  return 0;
}
