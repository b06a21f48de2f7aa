#pragma once

// When an issuer is asked for its keys. Time is an argument.

#include <chrono>
#include <optional>

namespace pulsewire::identity {

class fetch_schedule {
public:
    using time_point = std::chrono::steady_clock::time_point;

    // A key that was taken away at the issuer is worth nothing here after this time at the latest.
    static constexpr std::chrono::minutes refresh_every{10};
    // At most this often, whatever tokens ask for and however often it fails.
    static constexpr std::chrono::seconds pause_min{30};
    // Keys of an issuer that cannot be reached are kept for this time.
    static constexpr std::chrono::hours keep_for{24};

    // Nothing: now.
    std::optional<time_point> due() const { return due_; }
    bool under_way() const { return under_way_; }

    void begin(time_point now) {
        under_way_ = true;
        begun_ = now;
    }
    void succeeded(time_point now) {
        under_way_ = false;
        had_keys_ = now;
        due_ = now + refresh_every;
    }
    void failed(time_point now) {
        under_way_ = false;
        due_ = now + pause_min;
    }

    // A token names a key that is unknown. Whether an attempt is under way or begins now because of it.
    bool want(time_point now) {
        if (under_way_ || !due_) return true;
        if (begun_ && now - *begun_ < pause_min) return false;
        due_.reset();
        return true;
    }

    // Whether the keys of the last success are too old. True once.
    bool take_expired(time_point now) {
        if (!had_keys_ || now - *had_keys_ < keep_for) return false;
        had_keys_.reset();
        return true;
    }

private:
    bool under_way_ = false;
    std::optional<time_point> due_;
    std::optional<time_point> begun_;
    std::optional<time_point> had_keys_;
};

}  // namespace pulsewire::identity
