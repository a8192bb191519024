"""First inputs for each target, cut out of the golden databases in Fixtures/v1. `.ci/fuzz --keep` adds what the fuzzer finds to them.

    seeds.of("Frame")      inputs in the form that Targets/Frame says
"""

import gzip
import pathlib
import struct
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Fixtures/reader"))
import logdb_read as reader  # noqa: E402

LZ4, GZIP = 0, 1
JSON_TEXTS = [
    b"{}", b"[]", b'""', b"0", b"-0", b"true", b"false", b"null", b" \t\r\n[ 1 , 2 ] ", b"1.5e-3", b"-1E+400", b"9223372036854775807",
    b"18446744073709551616", b"1e19", b"0.1e1", b"10e-1", b"123456789012345678901234567890", b"2.2250738585072014e-308", b"4.9e-324",
    b'"\\u00e9\\ud83d\\ude00\\n\\/\\b"', b'"\\ud800"', b'"\\udc00\\ud800"', '"é€𝄞\u2028"'.encode(), b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"',
    b"\xef\xbb\xbf{}", b"[1,]", b'{"a":1,}', b"01", b"+1", b".5", b"1.", b"1e", b"nul", b'{"a":1 "b":2}', b"[1 2]", b"{} x", b'{a:1}',
    b'{"a":1,"a":2,"b":{"a":[[[[]]]]}}', b"[" * 70 + b"]" * 70, b'{"k":' * 66 + b"1" + b"}" * 66, b'"a long string without any escape"',
    b'{"table":"t","key":7,"value":{"a":[1e-7,0.25]},"op":"put"}',
]


def databases():
    return sorted(path for path in (ROOT / "Fixtures/v1").glob("*/db") if path.parent.name != "large-document")


def frame_files():
    """The files of frames: their bytes, where the frames begin, and the frames that hold."""
    for folder in databases():
        for path in sorted([*folder.glob("*.log"), *folder.glob("MANIFEST-*[0-9]")]):
            data = path.read_bytes()
            if len(data) < 88 or data[:5] != b"LogDB":
                continue
            identity = struct.unpack_from("<Q", data, 40)[0]
            start = 56 if data[10] == 1 else 88
            yield data, start, reader.scan(data, start, len(data), reader.seed_of(identity))[0]


def sealed_files():
    """The sealed files: their bytes, their container, the body of the index and where it stands."""
    for folder in databases():
        for path in sorted(folder.glob("*.seg.*")):
            data = path.read_bytes()
            container = LZ4 if path.suffix == ".lz4" else GZIP
            inside = 8 if container == LZ4 else 16
            tail = 44 if container == LZ4 else 62
            if len(data) < 200:
                continue
            index_at, length = struct.unpack_from("<QI", data, len(data) - tail + inside + 16)
            if container == LZ4:
                body = data[index_at + 8:index_at + 8 + length]
            else:
                body = data[index_at + 16:index_at + 16 + length]
            yield data, container, body, index_at


def blocks():
    """The blocks of the sealed files: container and stored bytes. Found by their own format, whatever the index is like."""
    for data, container, _, index_at in sealed_files():
        offset = 104 if container == LZ4 else 122
        while offset < index_at:
            end = offset
            if container == GZIP:
                member = zlib.decompressobj(31)
                member.decompress(data[offset:index_at])
                end = index_at - len(member.unused_data)
            else:
                # Behind a header of 15 bytes: blocks, each behind its length, an end mark and a checksum.
                end += 15
                while size := struct.unpack_from("<I", data, end)[0] & 0x7FFF_FFFF:
                    end += 4 + size
                end += 8
            yield container, data[offset:end]
            offset = end


def unpacked(container, stored):
    if container == GZIP:
        return gzip.decompress(stored)
    return subprocess.run(["lz4", "-dc"], input=stored, stdout=subprocess.PIPE, check=True).stdout


def frame():
    for data, _, frames in frame_files():
        for one in frames[:12]:
            yield struct.pack("<IHB", 1, 17, 1) + data[one.offset:one.end]


def record():
    for _, _, frames in frame_files():
        for one in frames:
            if one.kind == reader.OPERATIONS:
                yield one.payload


def block():
    for container, stored in blocks():
        raw = unpacked(container, stored)
        lengths = struct.unpack_from("<6I", raw)
        tags = raw[24 + lengths[0] + lengths[1]:][:lengths[2]]
        yield struct.pack("<HQq", sum(byte < 0x80 for byte in tags), 1, 1_790_000_000_000) + raw


def codec(wanted):
    for container, stored in blocks():
        if container == wanted:
            raw = unpacked(container, stored)
            yield struct.pack("<B", 0) + len(raw).to_bytes(3, "little") + bytes(3) + stored
            for choice in (255, 254, 253):
                yield bytes([choice]) + bytes(3) + b"\x20\x00\x01" + raw[:600]
    yield bytes(7) + (gzip.compress(b"") if wanted == GZIP else b"")
    yield b"\xff" + bytes(6)


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def counted_bytes(value):
    return varint(len(value)) + value


def index_body(blocks, tables, in_key_order, with_key_index):
    """The index of a segment whose blocks take 40 bytes each and hold 3 records of 100 bytes."""
    keys = [b"\x02" + bytes([97 + number]) for number in range(blocks + tables)]
    body = varint(blocks)
    for number in range(blocks):
        body += varint(40) + varint(100) + varint(3) + b"sums" + varint(6) + varint(2) + bytes([number == 0])
        if in_key_order:
            body += varint(1) + counted_bytes(keys[number])
    body += varint(tables)
    for number in range(tables):
        body += b"".join(varint(value) for value in (number, 5, 1, 12, 300)) + counted_bytes(keys[number]) + counted_bytes(keys[-1])
        if in_key_order:
            body += struct.pack("<Q", 0x1234_5678_9ABC_DEF0 + number)
    body += varint(3 * blocks)
    # A sample of two keys, not all there are.
    body += bytes([0, 2]) + varint(1 << 60) + varint(1) + varint(20) + varint(1 << 61) + varint(1) + varint(0)
    if not in_key_order:
        body += bytes([with_key_index])
        if with_key_index:
            third, width = 12, 8 + (blocks - 1).bit_length()
            body += varint(0) + varint(third) + bytes(range(7, 7 + (3 * third * width + 7) // 8))
    return body


def index():
    for container in (0, 1):
        for blocks, tables in ((0, 0), (1, 1), (4, 3), (20, 2)):
            for order, with_key_index in ((0, 0), (0, 1), (2, 0)):
                if blocks or not with_key_index:
                    yield bytes([container + order]) + struct.pack("<QIHB", 7, 40 * blocks, 9, 1) + index_body(
                        blocks, tables, order == 2, with_key_index)
    for _, container, body, index_at in sealed_files():
        start = 104 if container == LZ4 else 122
        yield bytes([container]) + struct.pack("<QIHB", 7, index_at - start, 9, 1) + body
    for count in (1, 5, 60):
        yield bytes([4]) + struct.pack("<QIHB", 7, 0, 3, 1) + b"".join(struct.pack("<I", 7 * number) for number in range(count))


def headers():
    for data, start, _ in frame_files():
        yield bytes([0 if data[10] == 1 else 1]) + b"\x11\x00\x01" + data[:52 if data[10] == 1 else 84]
    for data, container, *_ in sealed_files():
        inside = 8 if container == LZ4 else 16
        yield bytes([2 + container]) + b"\x11\x00\x01" + data[inside:inside + 96]
        yield bytes([4 + container]) + b"\x03\x00\x01" + data[:200]


def manifest():
    for data, start, frames in frame_files():
        if data[10] == 1:
            payloads = [one.payload for one in frames]
            yield b"".join(struct.pack("<H", len(payload)) + payload for payload in payloads[:6])
            for payload in payloads:
                yield struct.pack("<H", len(payload)) + payload
    # Two base segments of one generation, what they took in, and one of them gone.
    def base(number, least, greatest):
        fields = [varint(number), bytes(8), bytes([1, 0, 1]), *map(varint, (1, 500, 900, 9, 1, 9, 800)), bytes(4), bytes([0])]
        return bytes([9]) + b"".join(fields) + varint(1) + counted_bytes(least) + varint(1) + counted_bytes(greatest)
    edits = [base(1, b"\x02a", b"\x02f"), base(2, b"\x02g", b"\x02z"), bytes([11]) + varint(4) + bytes(8) + varint(9) + varint(800) + bytes(4),
             bytes([10]) + varint(1)]
    for count in range(1, 5):
        payload = b"".join(edits[:count])
        yield struct.pack("<H", len(payload)) + payload
        yield b"".join(struct.pack("<H", len(edit)) + edit for edit in edits[:count])


def json():
    yield from JSON_TEXTS
    for path in sorted((ROOT / "Fixtures/v1").glob("*/expected.ndjson")):
        for line in path.read_bytes().splitlines():
            if len(line) < 400:
                yield line


def record_bytes(table, key, document=None):
    encoded = bytes([1]) + struct.pack(">Q", key ^ 1 << 63) if isinstance(key, int) else bytes([2]) + key.encode()
    head = bytes([table * 2 + (document is None), len(encoded)]) + encoded
    return head if document is None else head + bytes([len(document)]) + document


def database():
    def one(kind, durable, payload, skew=0):
        return bytes([kind, durable, skew, len(payload)]) + payload
    put, delete = record_bytes(1, "a", b'{"n":1}'), record_bytes(1, 7)
    table = record_bytes(0, 2, b'{"name":"u"}')
    plain = [one(0, 0, put), one(0, 255, put + delete), one(0, 128, table), one(0, 0, record_bytes(2, "b", b"{}"))]
    # Number 2 is the first operation of the log behind the table.
    transaction = [one(1, 0, b"\x02" + put), one(0, 0, put), one(1, 0, b"\x02" + delete), one(2, 0, b"\x02"), one(3, 0, b"\x02")]
    for mode in range(8):
        for flags in (0, 4):
            for frames in (plain, transaction, transaction[:3], plain + transaction):
                head = bytes([flags, mode])
                yield head + bytes([len(frames)]) + b"".join(frames) + bytes([0])
                yield head + bytes([len(frames)]) + b"".join(frames) + bytes([1]) + plain[0] + bytes([0])
                yield head + bytes([len(frames)]) + b"".join(frames) + bytes([0]) + struct.pack("<BHB", 0, 140, 1)


def of(target):
    """The inputs for `target`, each once."""
    makers = {
        "Frame": frame, "Record": record, "Block": block, "LZ4": lambda: codec(LZ4), "Gzip": lambda: codec(GZIP), "Index": index,
        "Headers": headers, "Manifest": manifest, "JSON": json, "JSONFoundation": json, "Database": database,
    }
    return sorted(set(makers[target]()))
