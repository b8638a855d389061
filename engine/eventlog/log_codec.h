/* The framings in which Spark writes a compressed event log, each as the Java library
 * behind it has it (reference/eventlog.md, "Codecs: exact framing"): zstd frames,
 * lz4-java's LZ4Block, snappy-java's stream, compress-lzf's chunks. Pieces packed one
 * after another are one stream. */
#ifndef ENGINE_EVENTLOG_LOG_CODEC_H
#define ENGINE_EVENTLOG_LOG_CODEC_H

#include "base/strbuf.h"
#include "base/sv.h"

enum log_codec { LOG_PLAIN, LOG_ZSTD, LOG_LZ4, LOG_SNAPPY, LOG_LZF };

/* "zstd", "lz4", "snappy", "lzf" or Spark's class of that codec. False: none of them. */
bool log_codec_find(struct sv name, enum log_codec *out);
/* What the file's name ends in: ".zstd"; "" for plain text. */
const char *log_codec_suffix(enum log_codec c);

/* Each appends to out: what a stream begins with, `text` packed, what it ends with. */
void log_codec_head(enum log_codec c, struct strbuf *out);
void log_codec_pack(enum log_codec c, struct sv text, struct strbuf *out);
void log_codec_tail(enum log_codec c, struct strbuf *out);

#endif
