#pragma once

// The publish keys seen lately, so that repeating a publish has no second effect (docs/protocol.md 4.9).

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pulsewire::hub {

// Lets unordered_map<string, …> be searched by string_view without making a string.
struct name_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

class idempotency_window {
public:
    // Remembers each key for `window_ms`, and at most `keys_max` keys.
    idempotency_window(std::int64_t window_ms, std::size_t keys_max)
        : window_ms_(window_ms), keys_max_(keys_max) {}

    // The offset that `key` got in `channel` under `epoch`; 0 when it is not known.
    std::uint64_t find(
        std::string_view channel, std::string_view epoch, std::string_view key, std::int64_t now_ms
    );
    void remember(
        std::string_view channel, std::string_view epoch, std::string_view key, std::uint64_t offset,
        std::int64_t now_ms
    );
    // Forgets what is too old.
    void trim(std::int64_t now_ms);
    std::size_t size() const { return offsets_.size(); }

private:
    struct age {
        std::int64_t at_ms;
        const std::string* key;  // of the map's node, which does not move
    };

    static std::string joined(std::string_view channel, std::string_view epoch, std::string_view key);

    std::int64_t window_ms_;
    std::size_t keys_max_;
    std::unordered_map<std::string, std::uint64_t, name_hash, std::equal_to<>> offsets_;
    std::deque<age> by_age_;
};

}  // namespace pulsewire::hub
