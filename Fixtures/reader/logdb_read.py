#!/usr/bin/env python3
"""A second reader of LogDB databases, written from Sources/LogDB/LogDB.docc/FileFormat.md alone.

    logdb_read.py DB                  the live documents, the schemas, retentions and times to live, as `logdb dump DB` prints them
    logdb_read.py DB --as-of=8204     the documents after operation 8204, as `logdb dump DB --as-of 8204` prints them
    logdb_read.py DB --operations     every operation, as `logdb dump DB --operations` prints them
    … --now=1790000000021             the same at another time, in milliseconds since 1970: what has expired is not there

Needs Python 3.8 and nothing else. It shares no code with the engine, on purpose: where the two disagree, the page or one of them
is wrong. It is made to be checked, not to be fast, holds the whole database in memory, and expects that nobody writes meanwhile.

Every byte that it prints was covered by a checksum that it verified. Damage ends it with status 1 and one line on stderr:

    corrupted: block checksum is 9f31c2aa, stored 9f31c2ab (000041.seg.lz4 at byte 4096)
"""

import json
import os
import re
import struct
import sys
import time as clock
import zlib


class Damage(Exception):
    """Bytes that break the rules. `code` is `corrupted`, `unsupportedFormat` or `codecUnavailable`."""

    def __init__(self, reason, file="", offset=0, code="corrupted"):
        super().__init__(reason)
        self.reason, self.file, self.offset, self.code = reason, file, offset, code

    def __str__(self):
        place = f" ({self.file} at byte {self.offset})" if self.file else ""
        return f"{self.code}: {self.reason}{place}"


# --- Conventions -------------------------------------------------------------------------------------------------------------

MASK64 = (1 << 64) - 1


def make_crc_table():
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return table


CRC_TABLE = make_crc_table()


def crc32c(data, seed=0):
    register = seed ^ 0xFFFFFFFF
    table = CRC_TABLE
    for byte in data:
        register = table[(register ^ byte) & 0xFF] ^ register >> 8
    return register ^ 0xFFFFFFFF


def seed_of(identity):
    return crc32c(struct.pack("<Q", identity))


class Cursor:
    """Walks bytes front to back; whatever is not there is damage. `base` is where in `file` the bytes begin."""

    def __init__(self, data, file, base=0):
        self.data, self.file, self.base, self.at = data, file, base, 0

    def damage(self, reason, at=None, code="corrupted"):
        return Damage(reason, self.file, self.base + (self.at if at is None else at), code)

    @property
    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left:
            raise self.damage("the bytes end too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def fixed(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def u8(self):
        return self.fixed("B")

    def u16(self):
        return self.fixed("H")

    def u32(self):
        return self.fixed("I")

    def u64(self):
        return self.fixed("Q")

    def varint(self):
        start, value, shift = self.at, 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift > 0:
                    raise self.damage("a number is padded with zeros", start)
                if value > MASK64:
                    raise self.damage("a number is longer than 64 bits", start)
                return value
            shift += 7
            if shift > 63:
                raise self.damage("a number is longer than 64 bits", start)

    def signed(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def count(self, limit, what):
        start = self.at
        value = self.varint()
        if value > limit:
            raise self.damage(f"{what} is {value}, more than the {limit} possible here", start)
        return value

    def full_key(self):
        """Table id and encoded key. As tuples they sort as full keys do."""
        return self.varint(), self.take(self.count(65_536, "a key's length"))

    def end(self, what):
        if self.left:
            raise self.damage(f"{what} is longer than its contents")


def signed64(value):
    """`value` modulo 2^64, as i64."""
    value &= MASK64
    return value - (1 << 64) if value >> 63 else value


# --- File header -------------------------------------------------------------------------------------------------------------

MAGIC = bytes.fromhex("4C6F6744420D0A1A")
MANIFEST, RAW, SEALED, RING = 1, 2, 3, 4
HEADER_LENGTH = {MANIFEST: 52, RAW: 84, SEALED: 96, RING: 60}


class Header:
    """The common header; `fields` walks those of the kind."""

    def __init__(self, data, kind, file, base=0):
        at = lambda offset: base + offset
        if len(data) < 52 or data[:8] != MAGIC:
            raise Damage("the file does not begin with LogDB's mark", file, at(0))
        version, found, zero, length = struct.unpack_from("<HBBI", data, 8)
        if not 52 <= length <= min(len(data), 4096):
            raise Damage(f"the file header says it is {length} bytes long", file, at(12))
        stored = struct.unpack_from("<I", data, length - 4)[0]
        computed = crc32c(data[: length - 4])
        if stored != computed:
            raise Damage(f"file header checksum is {computed:08x}, stored {stored:08x}", file, at(length - 4))
        if version != 1:
            raise Damage(f"the file has format version {version}, this reader knows 1", file, at(8), "unsupportedFormat")
        if found != kind or zero != 0 or length != HEADER_LENGTH[kind]:
            raise Damage(f"the file is of kind {found}, not {kind}", file, at(10))
        self.database, self.number, self.identity = struct.unpack_from("<16sQQ", data, 16)
        self.fields = Cursor(data[48 : length - 4], file, at(48))

    def prove(self, database, number, identity, file, base=0):
        if self.database != database:
            raise Damage("the file belongs to another database", file, base + 16)
        if (self.number, self.identity) != (number, identity):
            raise Damage("the file is not the one that the manifest lists under this name", file, base + 32)


# --- Frames ------------------------------------------------------------------------------------------------------------------

OPERATIONS, MARK, TRANSACTION, COMMIT, ROLLBACK, EDITS = 1, 2, 3, 4, 5, 16


class Frame:
    pass


def frame_header(data, at, limit, seed):
    """The frame whose header stands at `at`, or None."""
    if at + 40 > limit:
        return None
    stored = struct.unpack_from("<I", data, at)[0]
    if stored != crc32c(data[at + 4 : at + 40], seed):
        return None
    frame = Frame()
    frame.offset = at
    (frame.checksum, frame.length, kind, frame.sequence, frame.durable_end, frame.time) = struct.unpack_from("<IIIQQq", data, at + 4)
    if kind not in (OPERATIONS, MARK, TRANSACTION, COMMIT, ROLLBACK, EDITS) or frame.length > 1_610_612_736:
        return None
    frame.kind = kind
    frame.end = at + 40 + (frame.length + 7) // 8 * 8
    return frame


def whole_frame(data, at, limit, seed):
    """The frame that holds at `at`, or None."""
    frame = frame_header(data, at, limit, seed)
    if frame is None or frame.end > limit or crc32c(data[at + 40 : frame.end], seed) != frame.checksum:
        return None
    frame.payload = data[at + 40 : at + 40 + frame.length]
    return frame


def scan(data, at, limit, seed):
    """The frames from `at` on; the offset where it stopped; the greatest durable end met, the mark's included."""
    frames, claim = [], 0
    while True:
        frame = whole_frame(data, at, limit, seed)
        if frame is not None:
            claim = max(claim, frame.durable_end)
        if frame is None or frame.kind == MARK:
            return frames, at, claim
        frames.append(frame)
        at = frame.end


def claim_behind(data, at, seed):
    """Looking behind a stop: the greatest durable end among the frames that hold from `at` on."""
    claim, size = 0, len(data)
    while at + 40 <= size:
        # Zeros are no header: skip them fast.
        if data[at : at + 8] == bytes(8) and data[at : at + 4096].count(0) == len(data[at : at + 4096]):
            at += max(8, (len(data[at : at + 4096]) - 40) // 8 * 8)
            continue
        frame = whole_frame(data, at, size, seed)
        if frame is None:
            at += 8
        else:
            claim = max(claim, frame.durable_end)
            at = frame.end
    return claim


# --- Records -----------------------------------------------------------------------------------------------------------------


class Operation:
    __slots__ = ("sequence", "time", "table", "key", "is_delete", "stored", "document", "expires")

    def __init__(self, sequence, time, table, key, is_delete, stored, cursor):
        self.sequence, self.time, self.table, self.key = sequence, time, table, key
        # As it stands in the record, the JSON text, and when that expires.
        self.is_delete, self.stored, self.document, self.expires = is_delete, stored, stored, None
        if stored and stored[0] < 0x20 and stored[0] not in b"\t\n\r":
            if stored[0] != 1:
                raise cursor.damage(f"a document begins with the byte {stored[0]}", code="unsupportedFormat")
            if len(stored) < 8:
                raise cursor.damage("a document that expires ends too early")
            self.expires, self.document = int.from_bytes(stored[1:7], "little"), stored[7:]

    @property
    def full_key(self):
        return self.table, self.key

    @property
    def contents(self):
        return self.time, self.table, self.key, self.stored


def record(cursor, sequence, time):
    tag = cursor.varint()
    length = cursor.count(65_536, "a key's length")
    if length == 0:
        raise cursor.damage("a key is empty")
    key = cursor.take(length)
    document = None if tag & 1 else cursor.take(cursor.count((1 << 30) + 7, "a document's length"))
    return Operation(sequence, time, tag >> 1, key, bool(tag & 1), document, cursor)


def decode_key(key, where):
    if key[0] == 1 and len(key) == 9:
        return struct.unpack(">Q", key[1:])[0] - (1 << 63)
    if key[0] == 2:
        try:
            return key[1:].decode("utf-8")
        except UnicodeDecodeError:
            pass
    raise Damage(f"operation {where.sequence} has a key that is neither an integer nor a string")


# --- Manifest ----------------------------------------------------------------------------------------------------------------


NOTHING_COMPACTED = {"number": 0, "identity": 0, "last_sequence": 0, "end_position": 0, "digest": 0}


class State:
    """What the edits add up to. Raw and sealed segments of the log by number; base and history by generation, the newest first, and by key."""

    def __init__(self):
        self.raw, self.sealed, self.base, self.history, self.compacted = {}, {}, [], [], NOTHING_COMPACTED
        self.horizon, self.horizons, self.expired = 0, {}, (0, 0)
        self.end_position, self.next_segment, self.next_table = 0, 1, 1

    def apply(self, cursor):
        start = cursor.at
        misfit = lambda: cursor.damage("an edit does not fit what the manifest said before", start)

        def number():
            value = cursor.varint()
            if value >= 1 << 62:
                raise misfit()
            return value

        kind = cursor.u8()
        if kind == 1:
            segment, identity, allocated = number(), cursor.u64(), cursor.varint()
            if any(other >= segment for other in self.raw) or segment in self.sealed:
                raise misfit()
            self.raw[segment] = {"identity": identity, "allocated": allocated, "end": None}
            self.next_segment = max(self.next_segment, segment + 1)
        elif kind in (2, 3, 4):
            segment = number()
            if segment not in self.raw:
                raise misfit()
            if kind == 2:
                self.raw[segment]["end"], position, _ = number(), number(), number()
                self.end_position = max(self.end_position, position)
            elif kind == 3:
                self.raw[segment].update(end=None, allocated=cursor.varint())
            else:
                del self.raw[segment]
        elif kind == 5:
            entry = self.entry(cursor, number)
            if entry["number"] in self.sealed or entry["order"] != 0 or entry["generation"] != 0:
                raise misfit()
            self.raw.pop(entry["number"], None)
            self.sealed[entry["number"]] = entry
            self.next_segment = max(self.next_segment, entry["number"] + 1)
            self.end_position = max(self.end_position, entry["end_position"])
        elif kind == 6:
            if self.sealed.pop(number(), None) is None:
                raise misfit()
        elif kind == 7:
            following, table, _, position = (number() for _ in range(4))
            self.next_segment = max(self.next_segment, following)
            self.next_table = max(self.next_table, table)
            self.end_position = max(self.end_position, position)
        elif kind == 8:
            cursor.signed()
            for _ in range(4):
                cursor.varint()
        elif kind == 9:
            entry = self.entry(cursor, number)
            entry["least_key"], entry["greatest_key"] = cursor.full_key(), cursor.full_key()
            if not self.has_place_for(entry):
                raise misfit()
            self.base.append(entry)
            self.base.sort(key=lambda entry: (-entry["generation"], entry["least_key"]))
        elif kind == 10:
            segment = number()
            if all(entry["number"] != segment for entry in self.base):
                raise misfit()
            self.base = [entry for entry in self.base if entry["number"] != segment]
        elif kind == 11:
            compacted = {"number": number(), "identity": cursor.u64(), "last_sequence": number(), "end_position": number(),
                         "digest": cursor.u32()}
            if compacted["last_sequence"] < self.compacted["last_sequence"]:
                raise misfit()
            self.compacted = compacted
            self.end_position = max(self.end_position, compacted["end_position"])
        elif kind == 12:
            entry = self.entry(cursor, number)
            entry["least_key"], entry["greatest_key"] = cursor.full_key(), cursor.full_key()
            same = [other for other in self.history if other["generation"] == entry["generation"]]
            if (entry["order"] != 2 or entry["generation"] == 0 or entry["least_key"] > entry["greatest_key"]
                    or any(other["number"] == entry["number"] for other in self.history)
                    or any(other["greatest_key"] > entry["least_key"] for other in same)):
                raise misfit()
            # Those of a generation stand in the order in which they were added.
            at = next((i for i, other in enumerate(self.history) if other["generation"] < entry["generation"]), len(self.history))
            self.history.insert(at, entry)
        elif kind == 13:
            segment = number()
            if all(entry["number"] != segment for entry in self.history):
                raise misfit()
            self.history = [entry for entry in self.history if entry["number"] != segment]
        elif kind == 14:
            scope, sequence, _ = cursor.varint(), number(), cursor.signed()
            if scope == 0:
                if sequence < self.horizon:
                    raise misfit()
                self.horizon = sequence
            elif scope > 1 << 62:
                raise misfit()
            else:
                self.horizons[scope - 1] = sequence
        elif kind == 15:
            number(), cursor.u32(), cursor.signed(), cursor.signed()  # Since when a ladder is gone by: for past states.
        elif kind == 16:
            scope, horizon = cursor.varint(), (number(), cursor.count((1 << 48) - 1, "an expiry"))
            if scope == 0:
                if any(new < old for new, old in zip(horizon, self.expired)):
                    raise misfit()
                self.expired = horizon
            elif scope > 1 << 62:
                raise misfit()
        else:
            raise cursor.damage(f"the manifest holds an edit of unknown kind {kind}", start)

    @staticmethod
    def entry(cursor, number):
        """The fields that *add sealed*, *add base* and *add history* have in common."""
        start = cursor.at
        entry = {"number": number(), "identity": cursor.u64(), "method": cursor.u8(), "level": cursor.u8(), "order": cursor.u8()}
        if entry["method"] > 3:
            raise Damage(f"a segment has the unknown codec {entry['method']}", cursor.file, cursor.base + start, "codecUnavailable")
        for name in "generation file_length raw_length records first_sequence last_sequence end_position".split():
            entry[name] = cursor.varint() if name in ("raw_length", "records", "first_sequence") else number()
        entry["digest"], entry["flags"] = cursor.u32(), cursor.u8()
        if entry["order"] > 2 or entry["flags"] > 3 or entry["method"] < 2 and entry["level"]:
            raise cursor.damage("the manifest names an unknown order, flags or level", start)
        return entry

    def has_place_for(self, entry):
        """Whether the base segment may be added to those there are."""
        return (
            entry["order"] == 1 and entry["generation"] > 0 and entry["least_key"] <= entry["greatest_key"]
            and all(other["number"] != entry["number"] for other in self.base)
            and all(other["greatest_key"] < entry["least_key"] for other in self.base if other["generation"] == entry["generation"]))


def read_manifest(database, number):
    name = f"MANIFEST-{number:06}"
    data = database.read(name)
    header = Header(data, MANIFEST, name)
    if header.number != number:
        raise Damage(f"the file is manifest {header.number} under another name", name, 32)
    seed = seed_of(header.identity)
    frames, stop, _ = scan(data, 56, len(data), seed)
    state = State()
    for expected, frame in enumerate(frames, 1):
        if frame.kind != EDITS or frame.sequence != expected:
            raise Damage(f"edit {frame.sequence} stands where {expected} belongs", name, frame.offset)
        cursor = Cursor(frame.payload, name, frame.offset + 40)
        while cursor.left:
            state.apply(cursor)
    if not frames:
        raise Damage("the manifest holds no edit", name, 56)
    if claim_behind(data, stop, seed) > stop:
        raise Damage("an edit that had been synced does not hold", name, stop)
    return header.database, state


# --- LZ4 ---------------------------------------------------------------------------------------------------------------------


def xxh32(data):
    p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
    mask = 0xFFFFFFFF
    at, size = 0, len(data)
    if size >= 16:
        lanes = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        for words in struct.iter_unpack("<4I", data[: size // 16 * 16]):
            for index in range(4):
                lane = (lanes[index] + words[index] * p2) & mask
                lanes[index] = ((lane << 13 | lane >> 19) & mask) * p1 & mask
        at = size // 16 * 16
        value = sum((lane << turn | lane >> 32 - turn) & mask for lane, turn in zip(lanes, (1, 7, 12, 18)))
    else:
        value = p5
    value = (value + size) & mask
    while at + 4 <= size:
        value = (value + struct.unpack_from("<I", data, at)[0] * p3) & mask
        value = ((value << 17 | value >> 15) & mask) * p4 & mask
        at += 4
    for byte in data[at:]:
        value = (value + byte * p5) & mask
        value = ((value << 11 | value >> 21) & mask) * p1 & mask
    value = (value ^ value >> 15) * p2 & mask
    value = (value ^ value >> 13) * p3 & mask
    return value ^ value >> 16


def lz4_sequences(cursor, out, start, limit):
    """Appends what one LZ4 block unpacks to; matches reach back to `start` at most."""

    def more(length):
        if length == 15:
            while True:
                byte = cursor.u8()
                length += byte
                if byte != 255:
                    break
        if len(out) + length > limit:
            raise cursor.damage("a block unpacks to more than its index names")
        return length

    while True:
        token = cursor.u8()
        out += cursor.take(more(token >> 4))
        if not cursor.left:
            return
        distance = cursor.u16()
        length = more(token & 15) + 4
        source = len(out) - distance
        if distance == 0 or source < start:
            raise cursor.damage("an LZ4 match reaches back before its block")
        while length > 0:
            piece = out[source : source + length]
            out += piece
            source += len(piece)
            length -= len(piece)


def lz4_frame(cursor, raw_length):
    """Unpacks one LZ4 frame, which must take all bytes."""
    if cursor.u32() != 0x184D2204:
        raise cursor.damage("a block is no LZ4 frame", 0)
    flags, descriptor = cursor.u8(), cursor.u8()
    if flags >> 6 != 1 or flags & 0x03 or not flags & 0x20 or not flags & 0x08 or not flags & 0x04:
        raise cursor.damage("an LZ4 frame is not of the kind that LogDB writes", 4)
    size = cursor.u64()
    if cursor.u8() != xxh32(cursor.data[4:14]) >> 8 & 0xFF:
        raise cursor.damage("an LZ4 frame's header checksum does not match", 4)
    if size != raw_length:
        raise cursor.damage(f"a block unpacks to {size} bytes of the {raw_length} its index names", 6)
    most = 1 << 8 + 2 * (descriptor >> 4 & 7)
    out = bytearray()
    while True:
        length = cursor.u32()
        if length == 0:
            break
        stored, length = length >> 31, length & 0x7FFFFFFF
        part = Cursor(cursor.take(length), cursor.file, cursor.base + cursor.at - length)
        start = len(out)
        if stored:
            out += part.data
        else:
            lz4_sequences(part, out, start, raw_length)
        if len(out) - start > most or len(out) > raw_length:
            raise part.damage("a block unpacks to more than its index names")
        if flags & 0x10 and cursor.u32() != xxh32(part.data):
            raise part.damage("an LZ4 block checksum does not match")
    if cursor.u32() != xxh32(out):
        raise cursor.damage("an LZ4 content checksum does not match")
    cursor.end("a block's LZ4 frame")
    if len(out) != raw_length:
        raise cursor.damage(f"a block unpacks to {len(out)} bytes of the {raw_length} its index names", 0)
    return bytes(out)


def gzip_member(cursor, raw_length):
    unpacker = zlib.decompressobj(31)
    try:
        out = unpacker.decompress(cursor.data, raw_length + 1)
    except zlib.error as error:
        raise cursor.damage(f"a block's gzip member is damaged: {error}")
    if len(out) != raw_length or not unpacker.eof or unpacker.unused_data:
        raise cursor.damage("a block's gzip member is not what its index names")
    return out


# --- Sealed segments ---------------------------------------------------------------------------------------------------------

LZ4, GZIP = "lz4", "gz"
CONTAINER = {0: GZIP, 1: LZ4, 2: LZ4, 3: GZIP}


def wrap(content, container):
    if container == LZ4:
        return struct.pack("<II", 0x184D2A5D, len(content)) + content
    chunks = [content[at : at + 65_024] for at in range(0, len(content), 65_024)] or [b""]
    head, tail = bytes.fromhex("1F8B08040000000000FF"), bytes.fromhex("0300") + bytes(8)
    return b"".join(head + struct.pack("<H2sH", len(part) + 4, b"LD", len(part)) + part + tail for part in chunks)


def wrapped_length(length, container):
    return length + 8 if container == LZ4 else length + 26 * max(1, -(-length // 65_024))


def unwrap(envelope, length, container, file, base):
    """The content of `envelope`, every byte of the wrapping proven."""
    if container == LZ4:
        content = envelope[8:]
    else:
        content = b"".join(envelope[at + 16 : at + 65_040] for at in range(0, len(envelope) - 26, 65_050))
        # The last piece took the tail of its member along.
        content = content[:length]
    if len(content) != length or wrap(content, container) != envelope:
        raise Damage("the wrapping is damaged", file, base)
    return content


class SealedSegment:
    """A segment at rest, of the log, of the base or of the history. `previous` is what the manifest says of the one before it in the log."""

    def __init__(self, database, entry, previous=None):
        self.entry, self.is_base, self.is_history = entry, entry["order"] >= 1, entry["order"] == 2
        self.container = CONTAINER[entry["method"]]
        self.name = f"{entry['number']:06}.{('seg', 'base', 'hist')[entry['order']]}.{self.container}"
        self.data = data = database.read(self.name, listed=True)
        if len(data) != entry["file_length"]:
            raise Damage(
                f"the file has {len(data)} bytes, the manifest knows of {entry['file_length']}", self.name,
                min(len(data), entry["file_length"]))
        self.start = wrapped_length(96, self.container)
        inside = 8 if self.container == LZ4 else 16
        header = Header(data[inside : self.start], SEALED, self.name, inside)
        unwrap(data[: self.start], 96, self.container, self.name, 0)
        header.prove(database.identity, entry["number"], entry["identity"], self.name)
        fields = header.fields
        method, level, order = fields.u8(), fields.u8(), fields.u8()
        fields.take(5)
        generation = fields.u64()
        if method > 3:
            raise Damage(f"the segment has the unknown codec {method}", self.name, inside + 48, "codecUnavailable")
        if (method, level, order, generation) != tuple(entry[name] for name in ("method", "level", "order", "generation")):
            raise Damage("the segment's header is not what the manifest says", self.name, inside + 48)
        follows = fields.u64(), fields.u64(), fields.u64(), fields.u32()
        if self.is_base:
            if follows != (0, 0, 0, 0):
                raise Damage("a base segment has a predecessor", self.name, inside + 64)
        elif follows != tuple(previous[name] for name in ("number", "identity", "last_sequence", "digest")) or (
                entry["first_sequence"] != previous["last_sequence"] + 1):
            raise Damage("the segment does not follow the one before it: one was swapped or is missing", self.name, 0)

    def read(self):
        """All operations, every byte of the file proven."""
        name, data, seed = self.name, self.data, seed_of(self.entry["identity"])
        trailer_at = len(data) - wrapped_length(36, self.container)
        if trailer_at < self.start:
            raise Damage("the file is too short for a segment", name, len(data))
        trailer = unwrap(data[trailer_at:], 36, self.container, name, trailer_at)
        magic, identity, index_at, length, digest, checksum = struct.unpack("<8sQQIII", trailer)
        if magic != b"LogDBend" or checksum != crc32c(trailer[:32]):
            raise Damage("the segment does not end with its trailer", name, trailer_at)
        if identity != self.entry["identity"] or digest != self.entry["digest"]:
            raise Damage("the segment's trailer is not the one the manifest knows", name, trailer_at)
        if index_at < self.start or index_at + wrapped_length(length, self.container) != trailer_at:
            raise Damage(f"the trailer places the index at byte {index_at}", name, trailer_at)
        index = unwrap(data[index_at:trailer_at], length, self.container, name, index_at)
        if crc32c(index, seed) != digest:
            raise Damage(f"index checksum is {crc32c(index, seed):08x}, stored {digest:08x}", name, index_at)
        return self.read_blocks(Cursor(index, name, index_at), index_at)

    def read_blocks(self, index, index_at):
        name, expansion = self.name, 255 if self.container == LZ4 else 1032
        blocks, offset, sequence, time, raw_total = [], self.start, 0, 0, 0
        for _ in range(index.count(index.left // 9, "the number of blocks")):
            stored = index.count(index_at - offset, "a block's length")
            raw = index.count(stored * expansion, "a block's raw length")
            records = index.count(raw, "a block's number of records")
            checksum = index.u32()
            sequence = (sequence + index.signed()) & MASK64
            time = signed64(time + index.signed())
            flags = index.u8()
            if flags > 1:
                raise index.damage(f"a block has unknown flags {flags}")
            first_key = index.full_key() if self.is_base else None
            block = self.data[offset : offset + stored]
            if crc32c(block) != checksum:
                raise Damage(f"block checksum is {crc32c(block):08x}, stored {checksum:08x}", name, offset)
            cursor = Cursor(block, name, offset)
            unpacked = lz4_frame(cursor, raw) if self.container == LZ4 else gzip_member(cursor, raw)
            found = list(columns(Cursor(unpacked, name, offset), records, sequence, time))
            if any(op.table == 0 for op in found) != (flags == 1):
                raise Damage("a block's flag for the catalog is wrong", name, offset)
            if self.is_base and (not found or first_key != found[0].full_key):
                raise Damage("a block does not begin with the key that its index names", name, offset)
            blocks.append(found)
            offset += stored
            raw_total += raw
        if offset != index_at:
            raise Damage(f"the blocks end at byte {offset}, the index begins at {index_at}", name, offset)
        operations = [op for block in blocks for op in block]
        self.check_statistics(index, operations, raw_total)
        # Of each key: its newest operation here, and the block with it.
        newest = {op.full_key: (op, number) for number, block in enumerate(blocks) for op in block}
        hashes = {key: key_hash(*key) for key in newest}
        self.check_sample(index, {} if self.is_history else newest, hashes)
        if not self.is_base:
            self.check_key_index(index, newest, hashes, len(blocks))
        self.check_expiries(index, operations, {} if self.is_history else newest, hashes)
        index.end("the segment's index")
        return operations

    def check_statistics(self, index, operations, raw_total):
        """The index and the manifest say of the operations what they are."""
        tables = {}
        for op in operations:
            tables.setdefault(op.table, []).append(op)
        told = []
        for _ in range(index.count(index.left // 7, "the number of tables")):
            row = [index.varint() for _ in range(5)]
            row += [index.take(index.count(65_536, "a key's length")) for _ in range(2)]
            told.append((*row, index.u64() if self.is_base else None))
        last = index.varint()
        counted = [
            (table, sum(not op.is_delete for op in ops), sum(op.is_delete for op in ops), sum(len(op.key) - 1 for op in ops),
             sum(len(op.stored or b"") for op in ops), min(op.key for op in ops), max(op.key for op in ops),
             digest(ops) if self.is_base else None)
            for table, ops in sorted(tables.items())
        ]
        entry = self.entry
        holds = (last, len(operations), raw_total, int(0 in tables)) == (
            entry["last_sequence"], entry["records"], entry["raw_length"], entry["flags"] & 1)
        is_sound = self.is_sound_history if self.is_history else self.is_sound_base if self.is_base else self.is_sound_log
        if told != counted or not holds or not is_sound(operations):
            raise Damage("the segment holds other operations than its index and the manifest say", self.name, index.base)

    def is_sound_log(self, operations):
        """By rising number, each inside what the segment accounts for."""
        numbers = [op.sequence for op in operations]
        return is_rising(numbers) and (
            not numbers or self.entry["first_sequence"] <= numbers[0] and numbers[-1] <= self.entry["last_sequence"])

    def is_sound_base(self, operations):
        """By rising key, each once and no delete, and those that the manifest speaks of."""
        keys, numbers = [op.full_key for op in operations], [op.sequence for op in operations]
        found = keys and (keys[0], keys[-1], min(numbers), max(numbers), 0)
        told = tuple(self.entry[n] for n in ("least_key", "greatest_key", "first_sequence", "last_sequence", "end_position"))
        return found == told and is_rising(keys) and not any(op.is_delete for op in operations)

    def is_sound_history(self, operations):
        """By rising key, of each key the newest first, and those that the manifest speaks of."""
        keys, numbers = [op.full_key for op in operations], [op.sequence for op in operations]
        found = keys and (keys[0], keys[-1], min(numbers), max(numbers), 0)
        told = tuple(self.entry[n] for n in ("least_key", "greatest_key", "first_sequence", "last_sequence", "end_position"))
        return found == told and is_rising([(*op.full_key, -op.sequence) for op in operations])

    def check_expiries(self, index, operations, newest, hashes):
        """How many documents expire, their bytes and when; and of each sampled key when its newest operation does."""
        expiring = [op for op in operations if op.expires is not None]
        told, counted = (0, 0), (0, 0)
        times, place = {}, 0
        if index.left:
            told = tuple(index.varint() for _ in range(4))
            for number in range(index.count(len(self.sampled), "the number of sampled keys that expire")):
                step = index.varint()
                place += step
                if place >= len(self.sampled) or number > 0 and step == 0:
                    raise index.damage("the expiries of a key sample make no sense")
                times[self.sampled[place]] = index.varint()
        if expiring:
            moments = [op.expires for op in expiring]
            counted = (len(expiring), sum(len(op.key) + len(op.stored) for op in expiring), min(moments), max(moments))
        by_hash = {}
        for key, (op, _) in newest.items():
            by_hash.setdefault(hashes[key], []).append(op.expires)
        if (told != counted or bool(expiring) != bool(self.entry["flags"] & 2)
                or any(times.get(h) not in by_hash[h] for h in self.sampled)):
            raise index.damage("the segment holds other documents that expire than its index and the manifest say")

    def check_sample(self, index, newest, hashes):
        """It is the keys with hashes up to its bound, each with the bytes of its newest operation."""
        is_whole = index.u8()
        told, value = {}, 0
        for number in range(index.count(index.left // 3, "a key sample's length")):
            more = index.varint()
            value += more
            if value > MASK64 or number > 0 and more == 0:
                raise index.damage("a key sample is out of order")
            told[value] = (index.varint(), index.varint())
        if is_whole > 1 or is_whole == 0 and not told:
            raise index.damage("a key sample has no bound")
        bound = MASK64 if is_whole else value
        self.sampled = list(told)
        counted = {}
        for (table, key), (op, _) in newest.items():
            if hashes[table, key] <= bound:
                size = 0 if op.is_delete else len(key) + len(op.stored)
                counted.setdefault(hashes[table, key], []).append((table, size))
        if set(told) != set(counted) or any(told[h] not in counted[h] for h in told):
            raise index.damage("the key sample is not of this segment's keys")

    def check_key_index(self, index, newest, hashes, block_count):
        """It names the block of each key's newest operation."""
        has_index = index.u8()
        if has_index > 1:
            raise index.damage("the segment has unknown flags")
        if has_index == 0:
            return
        width = 8 + max(0, block_count - 1).bit_length()
        seed, third = index.varint(), index.count(index.left * 8 // width // 3, "a key index's length")
        # Taken bit by bit from one large number this would be slow: each slot lies within eight bytes.
        slots = index.take((3 * third * width + 7) // 8) + bytes(8)

        def slot(number):
            bit = number * width
            return struct.unpack_from("<Q", slots, bit // 8)[0] >> bit % 8 & (1 << width) - 1

        for key, (op, block) in newest.items():
            h = mix(hashes[key] + seed * 0x9E3779B97F4A7C15 & MASK64)
            value = 0
            for i in range(3 if third else 0):
                rotated = (h << 21 * i | h >> 64 - 21 * i) & 0xFFFFFFFF
                value ^= slot(i * third + (rotated * third >> 32))
            if not third or value & 0xFF != (h ^ h >> 32) & 0xFF or value >> 8 != block:
                raise index.damage(f"the key index does not know that operation {op.sequence} is in block {block}")


def is_rising(items):
    return all(a < b for a, b in zip(items, items[1:]))


def columns(block, records, sequence, time):
    lengths = [block.u32() for _ in range(6)]
    parts = [Cursor(block.take(length), block.file, block.base) for length in lengths]
    parts.append(Cursor(block.take(block.left), block.file, block.base))
    numbers, times, tags, key_lengths, document_lengths, keys, documents = parts
    for _ in range(records):
        sequence = (sequence + numbers.signed()) & MASK64
        time = signed64(time + times.signed())
        tag = tags.varint()
        length = key_lengths.count(65_536, "a key's length")
        if length == 0:
            raise key_lengths.damage("a key is empty")
        key = keys.take(length)
        document = None if tag & 1 else documents.take(document_lengths.count((1 << 30) + 7, "a document's length"))
        yield Operation(sequence, time, tag >> 1, key, bool(tag & 1), document, documents)
        sequence = (sequence + 1) & MASK64
    for part in parts:
        part.end("a block")


def mix(value):
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & MASK64
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & MASK64
    return value ^ value >> 33


def key_hash(table, key):
    value = 0xCBF29CE484222325 ^ table * 0x9E3779B97F4A7C15 & MASK64
    for byte in key:
        value = (value ^ byte) * 0x00000100000001B3 & MASK64
    return mix(value)


def digest(operations):
    """Of their documents, in any order."""
    return sum(mix(crc32c(op.stored) << 32 | crc32c(op.key)) for op in operations if not op.is_delete) & MASK64


# --- The database ------------------------------------------------------------------------------------------------------------


class Database:
    def __init__(self, path):
        self.path = path
        names = os.listdir(path)
        numbers = [int(name[9:]) for name in names if re.fullmatch(r"MANIFEST-[0-9]{6,}", name)]
        if not numbers:
            if any(re.fullmatch(r"[0-9]{6,}\.(log|(seg|base|hist)\.(lz4|gz))", name) for name in names):
                raise Damage("the manifest is missing, but there are segments", "MANIFEST")
            raise Damage(f"there is no database at {path}", code="notFound")
        self.identity, self.state = read_manifest(self, max(numbers))
        base = [SealedSegment(self, entry) for entry in self.state.base]
        history = [SealedSegment(self, entry) for entry in self.state.history]
        sealed = self.prove_sealed()
        raw = self.follow_raw(sealed[-1].entry if sealed else self.state.compacted)
        for name in sorted(names):
            self.prove_leftover(name)
        committed = {number for _, kind, number, _ in raw if kind == COMMIT}
        self.base = self.read_base(base)
        self.history = [op for segment in history for op in segment.read()]
        self.log = [op for segment in sealed for op in segment.read()]
        self.check_base()
        for _, kind, number, operations in raw:
            if kind == OPERATIONS or kind == TRANSACTION and number in committed:
                self.log += operations
        self.names = self.read_catalog()

    def read(self, name, listed=False):
        try:
            with open(os.path.join(self.path, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            if listed:
                raise Damage("the file is listed in the manifest and missing", name) from None
            raise

    def prove_sealed(self):
        segments, previous = [], self.state.compacted
        for _, entry in sorted(self.state.sealed.items()):
            segments.append(SealedSegment(self, entry, previous))
            previous = entry
        return segments

    def read_base(self, segments):
        """Of each key its newest operation in all generations, by key, each with the name of its segment."""
        newest = {}
        for segment in segments:
            for op in segment.read():
                old = newest.get(op.full_key)
                if old is not None and old[0].sequence == op.sequence and old[0].contents != op.contents:
                    raise Damage(f"two generations have different operations {op.sequence}", segment.name)
                if old is None or op.sequence > old[0].sequence:
                    newest[op.full_key] = op, segment.name
        return [found for _, found in sorted(newest.items())]

    def check_base(self):
        """What is in the base beyond its last sequence, because a compaction did not come to its end, is in the log as well."""
        log = {op.sequence: op for op in self.log}
        for op, name in self.base:
            if op.sequence > self.state.compacted["last_sequence"]:
                if op.sequence not in log or log[op.sequence].contents != op.contents:
                    raise Damage(f"operation {op.sequence} is in the base before its time, and is not in the log", name)

    def prove_leftover(self, name):
        """A segment that the manifest should know and does not is no leftover."""
        match = re.fullmatch(r"([0-9]{6,})\.(log|seg\.lz4|seg\.gz)", name)  # A base segment is one, whatever its number.
        if match is None or int(match[1]) < self.state.next_segment:
            return
        if match[2] == "log" and int(match[1]) == self.state.next_segment:
            data = self.read(name)
            try:
                header = Header(data, RAW, name)
            except Damage:
                return
            if header.database != self.identity or not scan(data, 88, len(data), seed_of(header.identity))[0]:
                return
        raise Damage("the manifest does not know this segment: it lost its end, or is an old copy", name)

    def follow_raw(self, last):
        """The frames that count: (segment name, kind, transaction number, operations)."""
        segments = []
        for number, entry in sorted(self.state.raw.items()):
            name = f"{number:06}.log"
            data = self.read(name, listed=True)
            least = entry["allocated"] if entry["end"] is None else entry["end"]
            if len(data) < least:
                raise Damage(f"the file has {len(data)} bytes, the manifest knows of {least}", name, len(data))
            header = Header(data, RAW, name)
            header.prove(self.identity, number, entry["identity"], name)
            base, first = header.fields.u64(), header.fields.u64()
            segments.append((name, data, entry, seed_of(entry["identity"]), base, first))
        kept, ended = [], set()
        sequence, position = last["last_sequence"] + 1, last["end_position"]
        for index, (name, data, entry, seed, base, first) in enumerate(segments):
            if (first, base) != (sequence, position):
                raise Damage(
                    f"the segment begins with operation {first}, the one before it ends with {sequence - 1}", name, 48)
            later = segments[index + 1 :]
            known = entry["end"]
            if known is None and later:
                known = later[0][4] - base
            if known is not None and not 88 <= known <= len(data):
                raise Damage(f"the segment ends at byte {known} by what follows it, but has {len(data)}", name, len(data))
            frames, stop, claim = scan(data, 88, len(data) if known is None else known, seed)
            sequence = self.take(frames, sequence, kept, ended, name)
            if entry["end"] is None and not later:
                line = self.ring_line(base + stop, len(data) - stop)
                length = self.ring_frames(line, seed, sequence, ended)
                if length:
                    # What the file has there instead may still say that the log was synced beyond it.
                    claim = max(claim, claim_behind(data, stop, seed))
                    data = data[:stop] + line[:length] + data[stop + length :]
                    frames, stop, more = scan(data, stop, len(data), seed)
                    claim = max(claim, more)
                    sequence = self.take(frames, sequence, kept, ended, name)
            if entry["end"] is not None and stop == known and scan(data, stop, len(data), seed)[0]:
                raise Damage("the log goes on behind the end that the manifest knows", name, stop)
            if stop != known:
                claim = max([claim, claim_behind(data, stop, seed), self.state.end_position]
                            + [claim_behind(other[1], 88, other[3]) for other in later])
                if claim > base + stop or entry["end"] is not None:
                    raise Damage(
                        f"the frame here had been synced and does not hold: operations from number {sequence} on are lost", name, stop)
                return kept
            position = base + stop
        return kept

    def take(self, frames, sequence, kept, ended, name):
        for frame in frames:
            if frame.sequence != sequence:
                raise Damage(f"the frame begins with operation {frame.sequence}, {sequence} was expected", name, frame.offset)
            kept.append((name, frame.kind, *self.contents(frame, name)))
            sequence += len(kept[-1][3])
            transaction = kept[-1][2]
            if frame.kind == TRANSACTION and transaction in ended:
                raise Damage(f"transaction {transaction} goes on behind its end", name, frame.offset)
            if frame.kind in (COMMIT, ROLLBACK):
                ended.add(transaction)
        return sequence

    def ring_line(self, position, limit):
        """The ring's bytes in the order of the log, from `position` on."""
        try:
            data = self.read("RING")
            header = Header(data, RING, "RING")
        except FileNotFoundError:
            return b""
        except Damage as damage:
            if damage.code == "unsupportedFormat":
                raise
            return b""
        capacity = header.fields.u64()
        if header.database != self.identity or capacity % 8 or not 0 < capacity <= 64 << 20 or len(data) < 4096 + capacity:
            return b""
        ring = data[4096 : 4096 + capacity]
        place = position % capacity
        return (ring[place:] + ring[:place])[:limit]

    def ring_frames(self, line, seed, sequence, ended):
        """How much of the line is frames that go on with the log."""
        at, ended = 0, set(ended)
        while True:
            frame = whole_frame(line, at, len(line), seed)
            if frame is None or frame.sequence != sequence or frame.kind in (MARK, EDITS):
                return at
            try:
                cursor = Cursor(frame.payload, "RING", at)
                number = None if frame.kind == OPERATIONS else cursor.varint()
                if frame.kind in (COMMIT, ROLLBACK):
                    if number in ended:
                        return at
                    ended.add(number)
                while cursor.left:
                    record(cursor, 0, 0)
                    sequence += 1
            except Damage:
                return at
            at = frame.end

    @staticmethod
    def contents(frame, name):
        """The frame's transaction number and operations."""
        cursor = Cursor(frame.payload, name, frame.offset + 40)
        number, operations = None, []
        if frame.kind in (TRANSACTION, COMMIT, ROLLBACK):
            number = cursor.varint()
        if frame.kind in (OPERATIONS, TRANSACTION):
            while cursor.left:
                operations.append(record(cursor, frame.sequence + len(operations), frame.time))
        elif frame.kind == EDITS:
            raise cursor.damage("a raw segment holds a frame of the manifest")
        cursor.end("a frame")
        return number, operations

    def newest(self):
        """Of each key the newest operation in base and log, by full key."""
        newest = {}
        for op in [op for op, _ in self.base] + self.log:
            old = newest.get(op.full_key)
            if old is None or op.sequence > old.sequence:
                newest[op.full_key] = op
        return [op for _, op in sorted(newest.items())]

    def read_catalog(self):
        following = self.state.next_table
        for op in [op for op, _ in self.base] + self.log:
            if op.table == 0:
                table = decode_key(op.key, op)
                if isinstance(table, str):
                    continue  # A savepoint.
                if table < 1:
                    raise Damage("an operation on the catalog has a key that is no table id")
                following = max(following, table + 1)
            elif op.table >= following:
                raise Damage(f"an operation is for table {op.table}, which was never made")
        entries = {
            decode_key(op.key, op): op.document.decode()
            for op in self.newest() if op.table == 0 and not op.is_delete and op.key[0] == 1
        }
        self.times = {table: time for table, time in ((table, json.loads(entry).get("timeToLive")) for table, entry in entries.items()) if time}
        self.retentions = {table: rule for table, rule in ((table, json.loads(entry).get("retention")) for table, entry in entries.items()) if rule}
        self.schemas = {table: schema for table, schema in ((table, schema_of(entry)) for table, entry in entries.items()) if schema}
        return {table: json.loads(entry)["name"] for table, entry in entries.items()}

    def as_of(self, sequence):
        """The documents after operation `sequence`, as far as they are there, and the names of the tables of then."""
        newest = {}
        for op in [op for op, _ in self.base] + self.history + self.log:
            if op.sequence <= sequence and (op.full_key not in newest or op.sequence > newest[op.full_key].sequence):
                newest[op.full_key] = op
        # The time of that state is that of the last operation up to it that is left.
        self.now = max((op.sequence, op.time) for op in newest.values())[1] if newest else 0
        found = [op for _, op in sorted(newest.items()) if not op.is_delete and not self.has_expired(op)]
        self.names = {decode_key(op.key, op): json.loads(op.document)["name"] for op in found if op.table == 0 and op.key[0] == 1}
        return [op for op in found if op.table in self.names]

    # --- What is printed ---

    def has_expired(self, op):
        return op.expires is not None and op.expires <= self.now

    def live(self):
        return [op for op in self.newest() if not op.is_delete and op.table in self.names and not self.has_expired(op)]

    def operations(self):
        """The base's, by key, but what the log has as well; then the log's."""
        limit = self.state.compacted["last_sequence"]
        found = [op for op, _ in self.base if op.sequence <= limit] + sorted(self.log, key=lambda op: op.sequence)
        return [op for op in found if op.table in self.names]

    def address(self, op):
        key = decode_key(op.key, op)
        return b'"table":%s,"key":%s' % (text(self.names[op.table]), text(key) if isinstance(key, str) else b"%d" % key)

    def schema_line(self, table):
        return b'{"table":%s%s}\n' % (text(self.names[table]), line(self.schemas.pop(table).encode()))

    def table_lines(self, table):
        if table in self.schemas:
            yield self.schema_line(table)
        if table in self.retentions:
            rule = json.dumps(self.retentions[table], separators=(",", ":")).encode()
            yield b'{"table":%s,"retention":%s}\n' % (text(self.names[table]), rule)
        yield b'{"table":%s,"timeToLive":%d}\n' % (text(self.names[table]), self.times[table]) if table in self.times else b""

    def value(self, op):
        expires = b',"expires":%d' % op.expires if op.expires is not None else b',"expires":null' if op.table in self.times else b""
        return b'"value":%s%s' % (line(op.document), expires)

    def dump(self, as_of=None):
        # What is said of tables is that of now, and for a dump of now.
        waiting = set(self.schemas) | set(self.retentions) | set(self.times) if as_of is None else set()
        for op in self.live() if as_of is None else self.as_of(as_of):
            if op.table in waiting:
                waiting.remove(op.table)
                yield from self.table_lines(op.table)
            yield b'{%s,%s}\n' % (self.address(op), self.value(op))

        for table in sorted(waiting, key=lambda table: self.names[table].encode()):
            yield from self.table_lines(table)

    def dump_operations(self):
        for op in self.operations():
            rest = b'"delete":true' if op.is_delete or self.has_expired(op) else self.value(op)
            yield b'{"sequence":%d,"time":%d,%s,%s}\n' % (op.sequence, op.time, self.address(op), rest)


def members(value, at=0):
    """The members of an object, or the elements of an array, whose text begins at `at`; as text, byte for byte."""
    scan, found = json.JSONDecoder().raw_decode, []
    space = lambda place: re.compile(r"[ \t\n\r]*").match(value, place).end()
    at = space(space(at) + 1)
    while value[at] not in "]}":
        name, start = None, at
        _, end = scan(value, start)
        if value[space(end)] == ":":
            name, start = json.loads(value[at:end]), space(space(end) + 1)
            _, end = scan(value, start)
        found.append((name, value[start:end]))
        at = space(end)
        if value[at] == ",":
            at = space(at + 1)
    return found


def schema_of(entry):
    """What a catalog entry's last version asks, as the members of a line; none if it takes anything."""
    versions = dict(members(entry)).get("versions")
    if versions is None:
        return None
    last = dict(members(members(versions)[-1][1]))
    if "keys" not in last and "schema" not in last:
        return None
    found = "".join(f',"{name}":{last[name]}' for name in ("keys", "formats") if name in last)
    return found + f',"schema":{last.get("schema", "null")}'


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def text(string):
    escape = lambda match: ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}"
    return ('"' + re.sub(r'["\\\x00-\x1f]', escape, string) + '"').encode()


def line(document):
    return document.replace(b"\n", b" ").replace(b"\r", b" ")


def main(arguments):
    now = [int(argument[6:]) for argument in arguments if re.fullmatch(r"--now=[0-9]+", argument)]
    as_of = [int(argument[8:]) for argument in arguments if re.fullmatch(r"--as-of=[0-9]+", argument)]
    arguments = [argument for argument in arguments if not argument.startswith(("--as-of=", "--now="))]
    paths = [argument for argument in arguments if not argument.startswith("--")]
    if len(paths) != 1 or set(arguments) - set(paths) - {"--operations"}:
        print("usage: logdb_read.py DB [--operations | --as-of=SEQUENCE] [--now=MILLISECONDS]", file=sys.stderr)
        return 64
    try:
        database = Database(paths[0])
        database.now = now[0] if now else clock.time_ns() // 1_000_000
        lines = database.dump_operations() if "--operations" in arguments else database.dump(*as_of[:1])
        sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.flush()
    except (Damage, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
