#pragma once

// How long the kernel waits for a peer that takes nothing before it ends the connection (TCP_USER_TIMEOUT).
// While the peer's window is small, as that of a proxy before a slow link, Linux counts from when the window
// was first full, whatever was taken since; so the time is put off as long as the peer takes something.
//
// Decides only: its owner sets the option.

#include <cstdint>
#include <utility>

namespace pulsewire::shell {

class user_timeout {
public:
    // The time in milliseconds; 0: for ever.
    explicit user_timeout(std::uint32_t ms) : ms_(ms) {}

    // To be called now and then, with whether much waits for the peer, and whether it took some of that since
    // the last call. Returns the time that is to be set now, in milliseconds; 0: none.
    std::uint32_t look(bool waits, bool takes, std::int64_t now_ms) {
        if (ms_ == 0) return 0;
        if (!waits) {
            since_ms_ = 0;
            return std::exchange(put_off_ms_, 0) != 0 ? ms_ : 0;
        }
        if (since_ms_ == 0) since_ms_ = now_ms;
        const auto waited_ms = static_cast<std::uint32_t>(now_ms - since_ms_);
        // A system call only when half of the time has passed.
        if (!takes || waited_ms < put_off_ms_ + ms_ / 2) return 0;
        put_off_ms_ = waited_ms;
        return waited_ms + ms_ + unseen_ms;
    }

private:
    // The kernel's count may have begun so much before the first look.
    static constexpr std::uint32_t unseen_ms = 5'000;

    std::uint32_t ms_;
    std::uint32_t put_off_ms_ = 0;
    std::int64_t since_ms_ = 0;  // 0: little waits
};

}  // namespace pulsewire::shell
