#pragma once

// What publishers are told when a channel does not take what they publish, here or in the shared log.

#include <string_view>

namespace pulsewire::hub {

inline constexpr std::string_view no_room = "the server keeps as many channels as it may";

// --- state (docs/protocol.md 4.29) ---
inline constexpr std::string_view stale_snapshot = "there is a snapshot that covers as much already";
inline constexpr std::string_view snapshot_of_another_log =
    "the snapshot covers an offset of a log that was lost";
inline constexpr std::string_view covers_too_much = "the channel has no offset as high as \"covers\" yet";
inline constexpr std::string_view key_has_changed =
    "the newest publication of the key is another one; \"offset\" says which, and is left out where there is "
    "none";
inline constexpr std::string_view state_full = "the channel waits for a snapshot, which makes room";

}  // namespace pulsewire::hub
