/*
 * Surfaces of streamlib for programs in C and C++: a surface is a named sequence of frames in GPU memory, which one process of this
 * machine publishes and any number of others read, without a copy.
 *
 * A frame lies in a buffer. A buffer is a description and a file descriptor, which are handed over once, to be imported into
 * Vulkan, EGL, GStreamer, V4L2 or a mapping; this library knows no GPU. From then on a frame is a few words in shared memory.
 *
 * RESULTS. A function that returns int returns STREAMLIB_OK, STREAMLIB_TIMEOUT where it says so, or one of the errors, all of which
 * are below zero. streamlib_last_error() then has a sentence for people. What a function gives back, it writes only when it
 * returns STREAMLIB_OK. A NULL where there must be something is STREAMLIB_ERROR_ARGUMENT; closing or releasing NULL does nothing.
 *
 * THREADS. Every function may be called in any thread. Calls on the same reader or publisher take turns: one that waits holds the
 * others up. Closing one while another thread uses it is a mistake of the program, as it is with free().
 *
 * PROCESSES. Do not use a reader or a publisher in a child that was forked and has not called exec(): open another one there.
 *
 * The broker is found as by all programs of streamlib: $STREAMLIB_BROKER, else /run/streamlib/broker.sock if that directory exists,
 * else $XDG_RUNTIME_DIR/streamlib/broker.sock, else /tmp/streamlib-UID/broker.sock. A publisher that finds none becomes it.
 */
#ifndef STREAMLIB_H
#define STREAMLIB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- results */

enum {
  STREAMLIB_OK = 0,
  /* Nothing came in time. Not an error: streamlib_last_error() is left as it was. */
  STREAMLIB_TIMEOUT = 1,

  /* An argument is NULL, or cannot be what it is. */
  STREAMLIB_ERROR_ARGUMENT = -1,
  /* The text is no name of a surface: 1 to 64 bytes of UTF-8, letters, digits and `-`, `_`, `.`, `/`, `:`. */
  STREAMLIB_ERROR_BAD_NAME = -2,
  /* There is no broker, none that can be believed, or it does not answer; and this process cannot become one. */
  STREAMLIB_ERROR_NO_BROKER = -3,
  /* There is no such surface, or none that this user may see. */
  STREAMLIB_ERROR_NO_SURFACE = -4,
  /* Another process publishes under this name. */
  STREAMLIB_ERROR_NAME_TAKEN = -5,
  /* The publisher does not let this user in. */
  STREAMLIB_ERROR_NOT_PERMITTED = -6,
  /* There are as many readers or connections as there can be. */
  STREAMLIB_ERROR_TOO_MANY = -7,
  /* The publisher has ended. streamlib_reader_reopen() finds its successor. */
  STREAMLIB_ERROR_PUBLISHER_GONE = -8,
  /* The publisher is there and does not answer. */
  STREAMLIB_ERROR_PUBLISHER_SILENT = -9,
  /* There is no such buffer (any more): take a newer frame. */
  STREAMLIB_ERROR_NO_BUFFER = -10,
  /* This reader holds STREAMLIB_MAX_FRAMES frames: release one first. */
  STREAMLIB_ERROR_TOO_MANY_FRAMES = -11,
  /* Readers hold every buffer, or the newest frame lies in the last one: leave this frame out, or add a buffer. */
  STREAMLIB_ERROR_NO_FREE_BUFFER = -12,
  /* The buffer was not taken: see streamlib_publisher_take(). */
  STREAMLIB_ERROR_NOT_TAKEN = -13,
  /* The other side speaks another version of the protocol, or broke its rules. */
  STREAMLIB_ERROR_PROTOCOL = -14,
  /* The system refused: descriptors, memory, threads. */
  STREAMLIB_ERROR_SYSTEM = -15,
  /* A mistake of this library's. It is whole all the same, but close what was used. */
  STREAMLIB_ERROR_INTERNAL = -16
};

/*
 * What the last call in this thread that returned an error has to say, as UTF-8; "" if there was none. It is valid until the next
 * such call in this thread. Never NULL.
 */
const char *streamlib_last_error(void);

/* ---------------------------------------------------------------- buffers */

/* How the memory of a buffer is to be imported. */
enum {
  /* An opaque descriptor of Vulkan's (VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT): for the same device and driver only. */
  STREAMLIB_OPAQUE_FD = 1,
  /* A DMA-BUF. */
  STREAMLIB_DMA_BUF = 2,
  /* A memory file (memfd_create), row by row. GPUs do not take these; programs in C may agree on them. */
  STREAMLIB_MEMORY = 3
};

/* Texel formats; each component is 8 bits, in this order in memory, unless it says otherwise. */
enum {
  STREAMLIB_RGBA8 = 1,
  STREAMLIB_RGBA8_SRGB = 2, /* As RGBA8, and red, green and blue are encoded as sRGB. */
  STREAMLIB_BGRA8 = 3,
  STREAMLIB_BGRA8_SRGB = 4,
  STREAMLIB_RGBA16_FLOAT = 5, /* Four half floats. */
  STREAMLIB_R8 = 6,
  STREAMLIB_RG8 = 7
};

/* What an importer needs to know of a buffer, besides its descriptor. There is one plane. */
typedef struct streamlib_buffer {
  uint32_t kind;   /* STREAMLIB_OPAQUE_FD, STREAMLIB_DMA_BUF or STREAMLIB_MEMORY. */
  uint32_t format; /* STREAMLIB_RGBA8 and its like; another number in versions to come. */
  uint32_t width;  /* In pixels, at least 1. */
  uint32_t height; /* In pixels, at least 1. */
  uint64_t allocation; /* Bytes of the whole allocation. */
  /* How texels lie in it. A DMA-BUF: its format modifier (drm_fourcc.h), 0 is row by row. An opaque descriptor: 0 for
     VK_IMAGE_TILING_OPTIMAL, 1 for VK_IMAGE_TILING_LINEAR. Memory: 0. */
  uint64_t tiling;
  uint64_t offset; /* Byte at which the first row begins. */
  uint64_t pitch;  /* Bytes from one row to the next; 0 if the tiling has no rows. */
  uint8_t device_uuid[16]; /* Vulkan's deviceUUID. Zeros for memory that no GPU has made. */
  uint8_t driver_uuid[16]; /* Vulkan's driverUUID. */
} streamlib_buffer;

/* ----------------------------------------------------------------- frames */

/* What travels with a frame. */
typedef struct streamlib_meta {
  int64_t captured_ns; /* When it was captured, in nanoseconds on CLOCK_MONOTONIC. */
  uint64_t sequence;   /* Counts the frames of one source from 0; a gap is a lost frame. */
  int32_t has_camera;  /* 1 if the camera that saw it is known; else the rest is 0. */
  float intrinsics[4]; /* fx, fy, cx, cy, in pixels. */
  float world_from_camera[16]; /* Row-major pose; translation in metres. */
} streamlib_meta;

typedef struct streamlib_lease streamlib_lease;

/* Frames that one reader can hold at a time. */
#define STREAMLIB_MAX_FRAMES 4

/* A frame that a reader holds. Until it is released its buffer is not overwritten, unless the publisher ends. */
typedef struct streamlib_frame {
  streamlib_lease *lease; /* NULL once it is released. Of copies of a frame, one is to be released. */
  uint64_t number;        /* Number of the publication, counted from 1. */
  uint64_t buffer;        /* The buffer that it lies in: see streamlib_reader_buffer(). */
  uint32_t width;         /* In pixels. */
  uint32_t height;
  uint32_t format;        /* STREAMLIB_RGBA8 and its like. */
  int64_t published_ns;   /* When it was published, in nanoseconds on CLOCK_MONOTONIC. */
  uint64_t skipped;       /* Publications since the last acquired one that this reader never saw. */
  streamlib_meta meta;
} streamlib_frame;

/* ---------------------------------------------------------------- reading */

typedef struct streamlib_reader streamlib_reader;

/*
 * Opens the surface `name`. Waits timeout_ms milliseconds for it to come (0: not at all, below 0: for ever).
 * Errors: BAD_NAME, NO_BROKER, NO_SURFACE (also when the time is up), NOT_PERMITTED, TOO_MANY, PUBLISHER_GONE, PUBLISHER_SILENT,
 * PROTOCOL, SYSTEM.
 */
int streamlib_reader_open(const char *name, int64_t timeout_ms, streamlib_reader **reader);

/*
 * Acquires the newest frame, if this reader has not had it; else waits timeout_ms milliseconds for one (0: not at all, below 0: for
 * ever). All GPU work of the publisher's on it is done. Returns STREAMLIB_TIMEOUT when none came.
 * Errors: TOO_MANY_FRAMES; PUBLISHER_GONE, at the latest 100 ms after its end, whatever the timeout is; PROTOCOL.
 */
int streamlib_reader_acquire(streamlib_reader *reader, int64_t timeout_ms, streamlib_frame *frame);

/*
 * From here on streamlib_reader_acquire() looks for a frame without sleeping, from awake_ns nanoseconds before it is expected until as
 * long after. It costs a processor that share of the time, and saves what a thread needs to wake up. 0, as at first, is never.
 * Errors: ARGUMENT, for a time below 0.
 */
int streamlib_reader_stay_awake(streamlib_reader *reader, int64_t awake_ns);

/*
 * Asks the publisher for a buffer: what it is, and a descriptor of it that the caller closes. Buffers come again and again: keep what
 * was imported by `id`, which is never used for another buffer of the same publisher. Either of `buffer` and `fd` may be NULL.
 * What the publisher says is not checked against the memory: do so before relying on it.
 * Errors: NO_BUFFER, PUBLISHER_GONE, PUBLISHER_SILENT, PROTOCOL, SYSTEM.
 */
int streamlib_reader_buffer(streamlib_reader *reader, uint64_t id, streamlib_buffer *buffer, int *fd);

/*
 * Opens the surface again when its publisher was gone and is back. Ids of buffers begin anew. Frames that are held stay so.
 * Errors: as streamlib_reader_open(); the reader is then as it was.
 */
int streamlib_reader_reopen(streamlib_reader *reader);

/* Closes a reader. Frames that are held stay so, and are released as ever. */
void streamlib_reader_close(streamlib_reader *reader);

/* Lets a frame go, in any thread, also after its reader was closed. Whatever read it must be done, on the GPU too. */
void streamlib_frame_release(streamlib_frame *frame);

/* ------------------------------------------------------------- publishing */

typedef struct streamlib_publisher streamlib_publisher;

/* Who may open a surface, besides the publisher's user and root. */
enum {
  STREAMLIB_ACCESS_USER = 0,    /* Nobody. */
  STREAMLIB_ACCESS_GROUP = 1,   /* The members of a group. */
  STREAMLIB_ACCESS_EVERYONE = 2 /* Every user of the machine. */
};

/*
 * Publishes a surface under `name`. There is nothing to see in it before the first streamlib_publisher_publish(). `group` is the number of
 * the group that STREAMLIB_ACCESS_GROUP lets in; else it is not looked at.
 * Errors: ARGUMENT, BAD_NAME, NO_BROKER, NAME_TAKEN, TOO_MANY, PROTOCOL, SYSTEM.
 */
int streamlib_publisher_create(const char *name, uint32_t access, uint32_t group, streamlib_publisher **publisher);

/*
 * Makes a buffer known, and gives its id. The descriptor is duplicated, and stays the caller's. Readers get descriptors of the same open
 * file, with which they can do what the publisher can. Have two buffers more than readers are to hold together, three at least.
 * For streamlib's own programs to read it, it is an OPAQUE_FD or a DMA_BUF of a format above.
 * Errors: ARGUMENT, SYSTEM.
 */
int streamlib_publisher_add_buffer(streamlib_publisher *publisher, const streamlib_buffer *buffer, int fd, uint64_t *id);

/*
 * Withdraws a buffer, in whatever state it is: readers that ask for it are told that it is no more, those that have it keep it.
 * Errors: NO_BUFFER.
 */
int streamlib_publisher_remove_buffer(streamlib_publisher *publisher, uint64_t id);

/*
 * Takes a buffer that nobody reads, to be written. Never waits.
 * Errors: NO_FREE_BUFFER.
 */
int streamlib_publisher_take(streamlib_publisher *publisher, uint64_t *id);

/*
 * Makes the frame that lies in the taken buffer `id` the newest; the buffer is taken no more. What writes it must be done, on the GPU
 * too, unless all readers look at the fences of DMA-BUFs, as streamlib's graphs do. Never waits. `meta` may be NULL: captured now,
 * without a sequence number. `number` may be NULL; it gets the publication's.
 * Errors: NO_BUFFER, NOT_TAKEN; NO_FREE_BUFFER when readers hold every frame that there can be: this one is dropped, counted, and
 * its buffer free again.
 */
int streamlib_publisher_publish(streamlib_publisher *publisher, uint64_t id, const streamlib_meta *meta, uint64_t *number);

/*
 * Gives a taken buffer back that is not to be published.
 * Errors: NO_BUFFER, NOT_TAKEN.
 */
int streamlib_publisher_give_back(streamlib_publisher *publisher, uint64_t id);

/* What a publisher has counted. */
typedef struct streamlib_stats {
  uint64_t published; /* Frames published. */
  uint64_t dropped;   /* Frames that could not be, and those of streamlib_publisher_count_dropped(). */
  uint64_t readers;   /* Readers connected now. */
  uint64_t released;  /* Frames that those have let go again. */
  uint64_t skipped;   /* Frames that those never saw, because a newer one was there. */
} streamlib_stats;

int streamlib_publisher_stats(streamlib_publisher *publisher, streamlib_stats *stats);

/* Counts frames that the program had and did not publish, for those who look at `streamlib surfaces`. */
int streamlib_publisher_count_dropped(streamlib_publisher *publisher, uint64_t frames);

/* Ends a surface: its readers are told. */
void streamlib_publisher_close(streamlib_publisher *publisher);

/* ---------------------------------------------------------------- listing */

/* A surface, as its publisher describes it. */
typedef struct streamlib_surface {
  char name[65];      /* Ends with a zero. */
  uint32_t pid;       /* Who publishes it; 0 for a process of another process namespace. */
  uint32_t uid;
  uint32_t width;     /* Of its newest frame, in pixels; 0 if there is none yet. */
  uint32_t height;
  uint32_t format;    /* Of its newest frame; 0 if there is none yet. */
  double rate;        /* Frames a second of late. */
  uint64_t readers;   /* Readers connected. */
  uint64_t published; /* Frames published. */
  uint64_t dropped;   /* Frames that could not be. */
  int64_t newest_age_ns; /* How long ago the newest frame was published; -1 if there is none yet. */
} streamlib_surface;

/*
 * The surfaces that this user may open, by name. Free them with streamlib_list_free(). Where nobody publishes there are none, and `surfaces` is
 * NULL.
 * Errors: NO_BROKER (one that is not believed, or does not answer), PROTOCOL, SYSTEM.
 */
int streamlib_list(streamlib_surface **surfaces, size_t *count);

/* Frees what streamlib_list() gave. */
void streamlib_list_free(streamlib_surface *surfaces, size_t count);

#ifdef __cplusplus
}
#endif

#endif
