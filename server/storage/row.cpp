#include "server/storage/row.hpp"

#include "common/exchange/message_text.hpp"

#include <boost/crc.hpp>

namespace pulsewire::shell::row {
namespace {

// What the payload of a publication is; left out with what follows where it is JSON and no snapshot.
constexpr std::uint64_t payload_of_bytes = 1, payload_of_json = 0;

// Big-endian, so that keys sort by number.
void append_number(std::string& to, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<char>(number >> shift & 0xff));
}

std::uint64_t number_at(std::string_view from, std::size_t at) {
    std::uint64_t number = 0;
    for (std::size_t i = at; i < at + 8; ++i) number = number << 8 | static_cast<unsigned char>(from[i]);
    return number;
}

std::uint64_t checksum(std::string_view key, std::string_view content) {
    boost::crc_32_type crc;
    crc.process_bytes(key.data(), key.size());
    crc.process_bytes(content.data(), content.size());
    return crc.checksum();
}

class value_writer {
public:
    value_writer& number(std::uint64_t n) {
        append_number(content_, n);
        return *this;
    }
    value_writer& text(std::string_view t) {
        append_number(content_, t.size());
        content_ += t;
        return *this;
    }
    // What another writer has written.
    value_writer& rest(std::string_view written) {
        content_ += written;
        return *this;
    }
    std::string end(std::string_view key) {
        std::string value;
        append_number(value, checksum(key, content_));
        return value += content_;
    }

private:
    std::string content_;
};

// ok() is false after a read beyond the end, or when bytes are left.
class value_reader {
public:
    value_reader(std::string_view key, std::string_view value) {
        if (value.size() < 8) return;
        rest_ = value.substr(8);
        ok_ = number_at(value, 0) == checksum(key, rest_);
    }
    std::uint64_t number() {
        ok_ = ok_ && rest_.size() >= 8;
        if (!ok_) return 0;
        const std::uint64_t n = number_at(rest_, 0);
        rest_.remove_prefix(8);
        return n;
    }
    std::string_view text() {
        const std::uint64_t size = number();
        ok_ = ok_ && size <= rest_.size();
        if (!ok_) return {};
        const std::string_view t = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return t;
    }
    bool ok() const { return ok_ && rest_.empty(); }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
    bool ok_ = false;
};

}  // namespace

std::string channel_key(std::string_view channel) {
    return std::string(1, channels).append(channel);
}

// No channel name has a zero byte, so the publications of one channel are neighbours.
std::string publication_key(std::string_view channel, std::uint64_t offset) {
    std::string key(1, publications);
    key.append(channel).push_back('\0');
    append_number(key, offset);
    return key;
}

std::string key_key(std::int64_t time_ms, std::string_view channel, std::uint64_t offset) {
    std::string key(1, keys);
    append_number(key, static_cast<std::uint64_t>(time_ms));
    key.append(channel).push_back('\0');
    append_number(key, offset);
    return key;
}

std::optional<std::string_view> channel_of(std::string_view channel_key) {
    if (channel_key.size() < 2 || channel_key[0] != channels) return std::nullopt;
    return channel_key.substr(1);
}

std::optional<place> place_of(std::string_view publication_key) {
    const std::size_t size = publication_key.size();
    if (size < 11 || publication_key[0] != publications || publication_key[size - 9] != '\0')
        return std::nullopt;
    return place{publication_key.substr(1, size - 10), number_at(publication_key, size - 8)};
}

std::string value(std::string_view key, const hub::keep_channel& c) {
    return value_writer().text(c.channel).text(c.epoch).number(c.head).end(key);
}

std::string value(std::string_view key, const hub::keep_publication& p) {
    const hub::message& m = *p.what;
    value_writer row;
    row.text(m.channel())
        .number(m.offset)
        .number(static_cast<std::uint64_t>(m.time_ms))
        .text(p.epoch)
        .text(p.key)
        .text(m.type())
        .text(m.except())
        .text(m.payload());
    // Last and only where there is one, so that the rows of earlier versions are read as they are.
    const bool has_kind = m.binary || m.is_snapshot;
    if (!m.conflate().empty() || !m.user().empty() || has_kind) row.text(m.conflate());
    if (!m.user().empty() || has_kind) row.text(m.user());
    if (has_kind) row.number(m.binary ? payload_of_bytes : payload_of_json);
    if (m.is_snapshot) {
        const snapshot_view s = hub::snapshot_of(m);
        row.number(s.covers).number(s.part).number(s.parts).text(s.id);
    }
    return row.end(key);
}

std::string key_value(std::string_view key, const hub::keep_publication& p) {
    return value_writer()
        .text(p.what->channel())
        .text(p.epoch)
        .text(p.key)
        .number(p.what->offset)
        .number(static_cast<std::uint64_t>(p.what->time_ms))
        .number(p.content)
        .end(key);
}

std::string value(std::string_view key, std::uint64_t number) {
    return value_writer().number(number).end(key);
}

std::string moved_publication(
    std::string_view key, std::string_view value, std::string_view to, std::uint64_t offset,
    std::string_view epoch
) {
    value_reader r(key, value);
    const std::string_view channel = r.text();
    (void)r.number();
    const std::uint64_t time_ms = r.number();
    (void)r.text();
    return value_writer().text(channel).number(offset).number(time_ms).text(epoch).rest(r.rest()).end(to);
}

std::optional<hub::keep_channel> read_channel(std::string_view key, std::string_view value) {
    value_reader r(key, value);
    hub::keep_channel c;
    c.channel = r.text();
    c.epoch = r.text();
    c.head = r.number();
    if (!r.ok()) return std::nullopt;
    return c;
}

std::optional<hub::keep_publication> read_publication(std::string_view key, std::string_view value) {
    value_reader r(key, value);
    hub::keep_publication p;
    hub::publish made;
    made.channel = r.text();
    const std::uint64_t offset = r.number();
    const auto time_ms = static_cast<std::int64_t>(r.number());
    p.epoch = r.text();
    p.key = r.text();
    made.type = r.text();
    made.except = r.text();
    made.payload = r.text();
    if (!r.ok()) {
        made.conflate = r.text();
        if (!r.ok()) made.user = r.text();
        if (!r.ok()) made.binary = r.number() == payload_of_bytes;
        if (!r.ok()) {
            made.snapshot.covers = r.number();
            made.snapshot.part = static_cast<std::uint16_t>(r.number());
            made.snapshot.parts = static_cast<std::uint16_t>(r.number());
            made.snapshot.id = r.text();
            const snapshot& s = made.snapshot;
            if (!s || s.part < 1 || s.part > s.parts || s.parts > snapshot_parts_max) return std::nullopt;
        }
        if (!r.ok()) return std::nullopt;
        if (made.conflate.empty() && made.user.empty() && !made.binary && !made.snapshot) return std::nullopt;
    }
    p.what = hub::make_message(made, offset, time_ms);
    return p;
}

std::optional<hub::restored_key> read_key(std::string_view key, std::string_view value) {
    value_reader r(key, value);
    hub::restored_key k;
    k.channel = r.text();
    k.epoch = r.text();
    k.key = r.text();
    k.offset = r.number();
    k.time_ms = static_cast<std::int64_t>(r.number());
    // Rows of an earlier version have no content; they are gone after idempotency_ms.
    if (!r.ok()) k.content = r.number();
    if (!r.ok()) return std::nullopt;
    return k;
}

std::optional<std::uint64_t> read_number(std::string_view key, std::string_view value) {
    value_reader r(key, value);
    const std::uint64_t number = r.number();
    if (!r.ok()) return std::nullopt;
    return number;
}

}  // namespace pulsewire::shell::row
