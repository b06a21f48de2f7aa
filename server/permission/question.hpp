#pragma once

// What is asked at an authorize_url, and what it answers (docs/protocol.md 11.10).

#include "common/exchange/to_observer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::permission {

inline constexpr std::size_t answer_bytes_max = 4'096;
inline constexpr std::int64_t cache_s_max = 3'600;

// The body of the POST: {"operations":["subscribe"],"channel":"chat:42","session":"…","user":"ann"}.
std::string text_of(const hub::authorize& asked);

struct word {
    bool allow = false;
    std::string reason;         // of a refusal, for people; empty: none was given
    std::int64_t cache_ms = 0;  // for how long it may be used for the same question
};

// Reads {"allow":true,"cache_s":30} or {"allow":false,"reason":"…"}; nothing when it is neither.
std::optional<word> read_word(std::string_view body);

// Two questions have the same key only if their answers may be the same: who is unknown is told apart by
// session.
std::string key_of(const hub::authorize& asked);

// The reason why nothing can be asked at that address, as the end of a sentence; empty when something can.
std::string fault_of_address(const std::string& url);

}  // namespace pulsewire::permission
