#include "common/cluster/shared_options.hpp"

#include "common/cluster/bytes.hpp"
#include "common/protocol/limits.hpp"
#include "common/protocol/names.hpp"

#include <algorithm>

namespace pulsewire::cluster {
namespace {

void write(byte_writer& w, const history_options& h) {
    w.u32(h.history_count_max);
    w.u32(h.history_bytes_max);
    w.u32(h.history_age_ms);
}

history_options read_history(byte_reader& r) {
    history_options h;
    h.history_count_max = r.u32();
    h.history_bytes_max = r.u32();
    h.history_age_ms = r.u32();
    return h;
}

// Behind everything else, and only where a namespace keeps state: earlier logs do not have it.
bool keep_state(const shared_options& o) {
    return o.default_namespace.state_bytes_max != 0 ||
           std::any_of(o.namespaces.begin(), o.namespaces.end(), [](const auto& n) {
               return n.second.state_bytes_max != 0;
           });
}
std::string encode_states(const shared_options& o) {
    std::string bytes;
    if (!keep_state(o)) return bytes;
    byte_writer w(bytes);
    const auto write_state = [&](const history_options& h) {
        w.u32(h.state_bytes_max);
        w.u8(h.keyed ? 1 : 0);
    };
    write_state(o.default_namespace);
    for (const auto& [name, h] : o.namespaces) write_state(h);
    return bytes;
}

std::string encode_without_secret(const shared_options& o) {
    std::string bytes;
    byte_writer w(bytes);
    write(w, o.default_namespace);
    w.length(o.namespaces.size());
    for (const auto& [name, h] : o.namespaces) {
        w.text(name);
        write(w, h);
    }
    w.u32(o.idempotency_ms);
    w.u32(o.idempotency_keys_max);
    w.u64(o.history_bytes_total_max);
    w.u32(o.channels_max);
    w.u32(o.channel_idle_ms);
    w.u32(o.presence_members_max);
    return bytes;
}

}  // namespace

const history_options& shared_options::of(std::string_view channel) const {
    const auto found = namespaces.find(namespace_of(channel));
    return found == namespaces.end() ? default_namespace : found->second;
}

bool shared_options::agrees_with(const shared_options& other) const {
    return encode_without_secret(*this) == encode_without_secret(other) &&
           encode_states(*this) == encode_states(other);
}

std::string encode(const shared_options& o) {
    std::string bytes = encode_without_secret(o);
    byte_writer w(bytes);
    w.u64(o.secret.first);
    w.u64(o.secret.second);
    return bytes += encode_states(o);
}

std::optional<shared_options> decode_options(std::string_view bytes) {
    byte_reader r(bytes);
    shared_options o;
    o.default_namespace = read_history(r);
    const std::uint64_t count = r.length();
    if (count > namespaces_max) return std::nullopt;
    for (std::uint64_t i = 0; i < count && r.ok(); ++i) {
        const std::string_view name = r.text(channel_name_bytes_max);
        o.namespaces[std::string(name)] = read_history(r);
    }
    o.idempotency_ms = r.u32();
    o.idempotency_keys_max = r.u32();
    o.history_bytes_total_max = r.u64();
    o.channels_max = r.u32();
    o.channel_idle_ms = r.u32();
    o.presence_members_max = r.u32();
    o.secret.first = r.u64();
    o.secret.second = r.u64();
    if (r.ok() && !r.at_end()) {
        const auto read_state = [&](history_options& h) {
            h.state_bytes_max = r.u32();
            h.keyed = r.u8() != 0;
        };
        read_state(o.default_namespace);
        for (auto& [name, h] : o.namespaces) read_state(h);
    }
    if (!r.ok() || !r.at_end()) return std::nullopt;
    return o;
}

}  // namespace pulsewire::cluster
