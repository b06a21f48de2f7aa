#pragma once

// The values that a node posts to an adapter, until the adapter's own thread takes them. Records count from
// then on until their connection answers them or ends. Beyond the bound they are let go of, which whoever
// takes is told: the connections have to end, and with them every append that waits.

#include "common/cluster/broker_port.hpp"

#include <cstddef>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell {

class posted_values {
public:
    // Bytes of records that are not answered, of all logs together.
    static constexpr std::size_t unanswered_bytes_max = std::size_t{32} << 20;

    // From any thread. Whether nothing waited: then somebody has to take it.
    bool post(cluster::to_broker value) {
        const std::lock_guard hold(lock_);
        if (const auto* const record = std::get_if<cluster::append_record>(&value.what)) {
            // A record that is let go of here is missed by nobody: its connection is about to end.
            if (unanswered_bytes_ > unanswered_bytes_max) {
                has_too_much_ = true;
                value.what = cluster::close_log{};
            } else {
                unanswered_bytes_ += record->bytes.size();
            }
        }
        posted_.push_back(std::move(value));
        return posted_.size() == 1;
    }

    struct taken {
        std::vector<cluster::to_broker> values;
        bool has_too_much = false;  // something was let go of
    };
    taken take() {
        const std::lock_guard hold(lock_);
        return {std::exchange(posted_, {}), std::exchange(has_too_much_, false)};
    }

    // Records of so many bytes are answered, or never will be.
    void free(std::size_t bytes) {
        const std::lock_guard hold(lock_);
        unanswered_bytes_ -= bytes;
    }

private:
    std::mutex lock_;
    std::vector<cluster::to_broker> posted_;
    std::size_t unanswered_bytes_ = 0;
    bool has_too_much_ = false;
};

}  // namespace pulsewire::shell
