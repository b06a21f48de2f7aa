#pragma once

// The rate limit commands_per_second has two accounts, which passing time fills. Commands are paid before
// they are carried out, and refused without credit. Answers that replay publications or list members are paid
// by their bytes after they were made; a session in debt for them is not read until the debt is paid, and
// nothing is refused.
//
// The time given here is of a clock that stands while the loop itself is late (sessions::was_late). Otherwise
// every client would earn credit while nobody is served, and a loop that is late would be later still.

#include "common/protocol/limits.hpp"
#include "common/session/session.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace pulsewire::hub {

inline constexpr std::int64_t credit_per_command = 1'000;
// A session that is refused too often rests for this time.
inline constexpr std::int64_t rest_ms = 1'000;
// A session that needs a rest so often, with less than rests_apart_ms from one to the next, is ended.
inline constexpr std::uint32_t rests_max = 10;
inline constexpr std::int64_t rests_apart_ms = 10'000;

// The credit earned in two seconds; a session cannot save more.
inline std::int64_t credit_max(const limits& bounds) {
    return 2 * credit_per_command * std::int64_t{bounds.commands_per_second};
}

// The same for the bytes of answers.
inline std::int64_t answer_credit_max(const limits& bounds) {
    return 2 * std::int64_t{answer_bytes_per_command} * bounds.commands_per_second;
}

inline void earn_credit(session& s, const limits& bounds, std::int64_t now_ms) {
    // A session that was silent for long has all credit that it may have.
    constexpr std::int64_t longest_ms = 3'600'000;
    const std::int64_t rate = bounds.commands_per_second;
    const std::int64_t passed_ms = std::clamp<std::int64_t>(now_ms - s.credit_at_ms, 0, longest_ms);
    s.credit = std::min(s.credit + passed_ms * rate, credit_max(bounds));
    s.answer_credit = std::min(
        s.answer_credit + passed_ms * rate * answer_bytes_per_command / 1'000, answer_credit_max(bounds)
    );
    s.credit_at_ms = now_ms;
}

// False when the session has not earned credit for that many commands; then it pays nothing.
inline bool take_credit(session& s, std::uint32_t commands, const limits& bounds, std::int64_t now_ms) {
    if (bounds.commands_per_second == 0) return true;
    earn_credit(s, bounds, now_ms);
    const std::int64_t price = commands * credit_per_command;
    if (s.credit < price) return false;
    s.credit -= price;
    return true;
}

// The time for which publishes are refused behind one that was refused and does not come again.
inline constexpr std::int64_t refuses_behind_ms = 1'000;

// A publish with a key, which its client will send again, was refused for lack of credit.
inline void note_refused(session& s, std::uint64_t id, std::int64_t now_ms) {
    if (id == 0 || (s.refused_id != 0 && now_ms < s.refuses_until_ms)) return;
    s.refused_id = id;
    s.refuses_until_ms = now_ms + refuses_behind_ms;
}

// Publishes with a key keep their order: those that a client sent before it heard of a refusal are refused,
// too, although there may be credit again by the time that they are read.
inline bool is_behind_refused(session& s, std::uint64_t id, std::int64_t now_ms) {
    if (s.refused_id == 0) return false;
    if (id > s.refused_id && now_ms < s.refuses_until_ms) return true;
    s.refused_id = 0;
    return false;
}

inline void charge_answer(session& s, std::size_t bytes) {
    s.answer_credit -= static_cast<std::int64_t>(bytes);
}

// The milliseconds until the debt of a session is paid; 0 when it has none.
inline std::int64_t debt_ms(session& s, const limits& bounds, std::int64_t now_ms) {
    if (s.answer_credit >= 0 || bounds.commands_per_second == 0) return 0;
    earn_credit(s, bounds, now_ms);
    if (s.answer_credit >= 0) return 0;
    const std::int64_t per_second = std::int64_t{answer_bytes_per_command} * bounds.commands_per_second;
    return -s.answer_credit * 1'000 / per_second + 1;
}

}  // namespace pulsewire::hub
