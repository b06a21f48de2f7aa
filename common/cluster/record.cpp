#include "common/cluster/record.hpp"

#include "common/base/overloaded.hpp"
#include "common/cluster/bytes.hpp"
#include "common/protocol/limits.hpp"

namespace pulsewire::cluster {
namespace {

constexpr std::string_view magic = "PW";

enum class kind : std::uint8_t { hello = 1, operations, sign, end, bye, image_chunk, options, level };
enum class operation_kind : std::uint8_t { publish = 1, join, part, note };

// Clocks far beyond any calendar are mistakes; below, sums and differences of two cannot overflow.
constexpr std::int64_t clock_ms_max = std::int64_t{1} << 60;
bool in_range(std::int64_t clock_ms) {
    return clock_ms >= -clock_ms_max && clock_ms <= clock_ms_max;
}

constexpr std::uint8_t publish_transient = 1;
constexpr std::uint8_t publish_binary = 2;
constexpr std::uint8_t publish_snapshot = 4;
constexpr std::uint8_t publish_if = 8;
constexpr std::uint8_t hello_log_was_empty = 1;
constexpr std::uint8_t hello_incarnation_told = 2;

void write_head(byte_writer& w, const record& r, kind k) {
    for (const char c : magic) w.u8(static_cast<std::uint8_t>(c));
    w.u8(record_format);
    w.u8(static_cast<std::uint8_t>(k));
    w.u64(r.process);
    w.u64(r.connection);
    w.u64(r.seq);
    write(w, r.base);
    w.i64(r.clock.monotonic_ms);
    w.i64(r.clock.wall_ms);
}

void write(byte_writer& w, const operation& op) {
    std::visit(
        overloaded{
            [&](const publish_op& p) {
                w.u8(static_cast<std::uint8_t>(operation_kind::publish));
                w.text(p.channel);  // first: most readers want to know no more
                w.i64(p.accepted_ms);
                w.u8(static_cast<std::uint8_t>(
                    (p.transient ? publish_transient : 0) | (p.binary ? publish_binary : 0) |
                    (p.snapshot ? publish_snapshot : 0) | (p.if_offset ? publish_if : 0)
                ));
                w.u64(p.content);
                w.u64(p.publisher);
                for (const std::string_view t : {p.type, p.key, p.user, p.except, p.conflate, p.payload})
                    w.text(t);
                if (p.snapshot) {
                    w.length(p.snapshot.covers);
                    w.length(p.snapshot.part);
                    w.length(p.snapshot.parts);
                    w.text(p.snapshot.id);
                    w.text(p.snapshot.epoch);
                }
                if (p.if_offset) {
                    w.length(*p.if_offset);
                    w.text(p.if_epoch);
                }
            },
            [&](const join_op& j) {
                w.u8(static_cast<std::uint8_t>(operation_kind::join));
                w.u64(j.token);
                w.u64(j.source);
                for (const std::string_view t : {j.channel, j.session, j.info, j.user, j.user_info})
                    w.text(t);
            },
            [&](const part_op& p) {
                w.u8(static_cast<std::uint8_t>(operation_kind::part));
                w.u64(p.token);
                w.text(p.channel);
                w.text(p.session);
            },
            [&](const note_op& n) {
                w.u8(static_cast<std::uint8_t>(operation_kind::note));
                w.u64(n.to);
                w.u8(n.keep ? 1 : 0);
                w.text(n.bytes);
            },
        },
        op
    );
}

snapshot_view read_snapshot(byte_reader& r) {
    snapshot_view s;
    s.covers = r.length();
    const std::uint64_t part = r.length(), parts = r.length();
    s.id = r.text(key_bytes_max);
    s.epoch = r.text(key_bytes_max);
    if (!s || part < 1 || part > parts || parts > snapshot_parts_max) r.fail();
    s.part = static_cast<std::uint16_t>(part);
    s.parts = static_cast<std::uint16_t>(parts);
    return s;
}

// An unknown kind of operation is told by `newer`.
operation read_operation(byte_reader& r, bool& newer) {
    const std::string_view from = r.rest();
    switch (static_cast<operation_kind>(r.u8())) {
        case operation_kind::publish: {
            publish_op p;
            p.channel = r.text(channel_name_bytes_max);
            p.accepted_ms = r.i64();
            const std::uint8_t flags = r.u8();
            p.transient = (flags & publish_transient) != 0;
            p.binary = (flags & publish_binary) != 0;
            p.content = r.u64();
            p.publisher = r.u64();
            p.type = r.text(type_name_bytes_max);
            p.key = r.text(key_bytes_max);
            p.user = r.text(user_bytes_max);
            p.except = r.text(session_bytes_max);
            p.conflate = r.text(key_bytes_max);
            p.payload = r.text(record_bytes_max);
            if ((flags & publish_snapshot) != 0) p.snapshot = read_snapshot(r);
            if ((flags & publish_if) != 0) {
                p.if_offset = r.length();
                p.if_epoch = r.text(key_bytes_max);
            }
            constexpr int known = publish_transient | publish_binary | publish_snapshot | publish_if;
            if (p.channel.empty() || !in_range(p.accepted_ms) || flags > known) r.fail();
            p.encoded = from.substr(0, from.size() - r.left());
            return p;
        }
        case operation_kind::join: {
            join_op j;
            j.token = r.u64();
            j.source = r.u64();
            j.channel = r.text(channel_name_bytes_max);
            j.session = r.text(session_bytes_max);
            j.info = r.text(record_bytes_max);
            j.user = r.text(user_bytes_max);
            j.user_info = r.text(record_bytes_max);
            if (j.channel.empty() || j.session.empty()) r.fail();
            return j;
        }
        case operation_kind::part: {
            part_op p;
            p.token = r.u64();
            p.channel = r.text(channel_name_bytes_max);
            p.session = r.text(session_bytes_max);
            if (p.channel.empty() || p.session.empty()) r.fail();
            return p;
        }
        case operation_kind::note: {
            note_op n;
            n.to = r.u64();
            const std::uint8_t keep = r.u8();
            n.keep = keep == 1;
            n.bytes = r.text(record_bytes_max);
            if (keep > 1) r.fail();
            return n;
        }
    }
    newer = r.ok();
    return part_op{};
}

hello read_hello(byte_reader& r) {
    hello h;
    h.level_max = r.u16();
    const std::uint8_t flags = r.u8();
    if (flags > (hello_log_was_empty | hello_incarnation_told) || h.level_max == 0) r.fail();
    h.log_was_empty = (flags & hello_log_was_empty) != 0;
    h.incarnation_told = (flags & hello_incarnation_told) != 0;
    h.incarnation = r.text(incarnation_bytes_max);
    return h;
}

operations read_operations(byte_reader& r, bool& newer) {
    operations found;
    const std::uint64_t count = r.length();
    // A byte each at least: so the room that is made is bounded by the bytes that came.
    if (count == 0 || count > operations_max || count > r.left()) {
        r.fail();
        return found;
    }
    found.all.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count && r.ok() && !newer; ++i)
        found.all.push_back(read_operation(r, newer));
    return found;
}

image_chunk read_chunk(byte_reader& r) {
    image_chunk c;
    c.at = read_base(r);
    c.at_mark = read_mark(r);
    c.index = r.u32();
    c.count = r.u32();
    c.digest = r.u64();
    c.bytes = r.text(record_bytes_max);
    if (c.index >= c.count || c.at.position == 0) r.fail();
    return c;
}

}  // namespace

void write(byte_writer& w, const log_base& b) {
    w.u64(b.position);
    w.hash(b.chain);
}

void write(byte_writer& w, const mark& m) {
    w.u64(m.high);
    w.u64(m.low);
}

log_base read_base(byte_reader& r) {
    log_base b;
    b.position = r.u64();
    b.chain = r.hash();
    return b;
}

mark read_mark(byte_reader& r) {
    mark m;
    m.high = r.u64();
    m.low = r.u64();
    return m;
}

std::string_view sentence_of(record_error e) {
    switch (e) {
        case record_error::too_long:
            return "the record is longer than any node writes";
        case record_error::foreign:
            return "the entry was not written by Pulsewire";
        case record_error::newer_format:
            return "the record has a newer format: update this node";
        case record_error::newer_kind:
            return "the record is of a newer kind: update this node";
        case record_error::cut_short:
            return "the record ends too early";
        case record_error::too_much:
            return "something follows the end of the record";
        case record_error::bad_value:
            return "the record has a value out of its range";
    }
    return "";
}

std::string encode(const record& r) {
    std::string bytes;
    byte_writer w(bytes);
    std::visit(
        overloaded{
            [&](const hello& h) {
                write_head(w, r, kind::hello);
                w.u16(h.level_max);
                w.u8(static_cast<std::uint8_t>(
                    (h.log_was_empty ? hello_log_was_empty : 0) |
                    (h.incarnation_told ? hello_incarnation_told : 0)
                ));
                w.text(h.incarnation);
            },
            [&](const operations& o) {
                write_head(w, r, kind::operations);
                w.length(o.all.size());
                for (const operation& op : o.all) write(w, op);
            },
            [&](const sign& s) {
                write_head(w, r, kind::sign);
                w.u64(s.digest);
            },
            [&](const end& e) {
                write_head(w, r, kind::end);
                w.u64(e.who);
                w.u64(e.last);
            },
            [&](const bye&) { write_head(w, r, kind::bye); },
            [&](const image_chunk& c) {
                write_head(w, r, kind::image_chunk);
                write(w, c.at);
                write(w, c.at_mark);
                w.u32(c.index);
                w.u32(c.count);
                w.u64(c.digest);
                w.text(c.bytes);
            },
            [&](const options_record& o) {
                write_head(w, r, kind::options);
                w.text(o.bytes);
            },
            [&](const level_record& l) {
                write_head(w, r, kind::level);
                w.u16(l.level);
            },
        },
        r.body
    );
    return bytes;
}

std::string encode_operations(const record& head, std::string_view encoded, std::size_t count) {
    std::string bytes;
    bytes.reserve(encoded.size() + 96);
    byte_writer w(bytes);
    write_head(w, head, kind::operations);
    w.length(count);
    bytes.append(encoded);
    return bytes;
}

std::string encode(const operation& op) {
    std::string bytes;
    byte_writer w(bytes);
    write(w, op);
    return bytes;
}

std::string_view channel_of_publish(std::string_view bytes) {
    byte_reader r(bytes);
    (void)r.u8();
    return r.text(channel_name_bytes_max);
}

result<operation, record_error> decode_operation(std::string_view bytes) {
    byte_reader r(bytes);
    bool newer = false;
    const operation op = read_operation(r, newer);
    if (newer) return failure{record_error::newer_kind};
    if (!r.ok()) return failure{record_error::bad_value};
    if (!r.at_end()) return failure{record_error::too_much};
    return op;
}

result<record, record_error> decode(std::string_view bytes) {
    if (bytes.size() > record_bytes_max) return failure{record_error::too_long};
    if (bytes.substr(0, magic.size()) != magic) return failure{record_error::foreign};
    byte_reader r(bytes.substr(magic.size()));
    const std::uint8_t format = r.u8();
    if (!r.ok()) return failure{record_error::cut_short};
    if (format == 0) return failure{record_error::foreign};
    if (format > record_format) return failure{record_error::newer_format};
    record found;
    const std::uint8_t k = r.u8();
    found.process = r.u64();
    found.connection = r.u64();
    found.seq = r.u64();
    found.base = read_base(r);
    found.clock.monotonic_ms = r.i64();
    found.clock.wall_ms = r.i64();
    if (!r.ok()) return failure{record_error::cut_short};
    if (found.process == 0 || found.connection == 0 || found.seq == 0 || k == 0 ||
        !in_range(found.clock.monotonic_ms) || !in_range(found.clock.wall_ms))
        return failure{record_error::bad_value};
    bool newer = false;
    switch (static_cast<kind>(k)) {
        case kind::hello:
            found.body = read_hello(r);
            break;
        case kind::operations:
            found.body = read_operations(r, newer);
            break;
        case kind::sign:
            found.body = sign{r.u64()};
            break;
        case kind::end: {
            end e;
            e.who = r.u64();
            e.last = r.u64();
            found.body = e;
            break;
        }
        case kind::bye:
            found.body = bye{};
            break;
        case kind::image_chunk:
            found.body = read_chunk(r);
            break;
        case kind::options:
            found.body = options_record{r.text(record_bytes_max)};
            break;
        case kind::level: {
            const level_record l{r.u16()};
            if (l.level == 0) r.fail();
            found.body = l;
            break;
        }
        default:
            return failure{record_error::newer_kind};
    }
    if (newer) return failure{record_error::newer_kind};
    if (!r.ok()) return failure{record_error::bad_value};
    if (!r.at_end()) return failure{record_error::too_much};
    return found;
}

}  // namespace pulsewire::cluster
