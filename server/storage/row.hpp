#pragma once

// The rows of the store: the form of keys and values of the durable log on the disk. Keys sort by channel,
// then by offset. Every value carries a checksum over its key and itself, so that a damaged or misplaced row
// is recognised even if the layers below do not notice.

#include "common/exchange/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell::row {

// --- keys ---

// The first byte of a key is the kind of the row.
inline constexpr char channels = 'c', publications = 'p', keys = 'k';
inline constexpr std::string_view store_id = "i", generation = "g", format = "v";
inline constexpr std::string_view secret_first = "s1", secret_second = "s2";
// The value of the row `format`.
inline constexpr std::uint64_t format_version = 1;

std::string channel_key(std::string_view channel);
std::string publication_key(std::string_view channel, std::uint64_t offset);
// Keys of this kind sort by time.
std::string key_key(std::int64_t time_ms, std::string_view channel, std::uint64_t offset);

// The contents of a key; nothing when it has another form.
std::optional<std::string_view> channel_of(std::string_view channel_key);
struct place {
    std::string_view channel;
    std::uint64_t offset = 0;
};
std::optional<place> place_of(std::string_view publication_key);

// --- values ---

std::string value(std::string_view key, const hub::keep_channel& c);
std::string value(std::string_view key, const hub::keep_publication& p);
// The value of the row that remembers the key of a publish.
std::string key_value(std::string_view key, const hub::keep_publication& p);
std::string value(std::string_view key, std::uint64_t number);
// The value of a publication's row in another place: under the key `to`, with this offset and epoch and
// everything else as it is. Precondition: read_publication(key, value).
std::string moved_publication(
    std::string_view key, std::string_view value, std::string_view to, std::uint64_t offset,
    std::string_view epoch
);

// These return nothing when the row is damaged.
std::optional<hub::keep_channel> read_channel(std::string_view key, std::string_view value);
std::optional<hub::keep_publication> read_publication(std::string_view key, std::string_view value);
std::optional<hub::restored_key> read_key(std::string_view key, std::string_view value);
std::optional<std::uint64_t> read_number(std::string_view key, std::string_view value);

}  // namespace pulsewire::shell::row
