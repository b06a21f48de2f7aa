#pragma once

// Asks the programs at the addresses `authorize_url` whether clients may do what they want, on a thread of
// its own. It fails closed: without an answer in time nothing is permitted.

#include "common/exchange/shard_message.hpp"
#include "common/exchange/to_observer.hpp"
#include "server/config.hpp"
#include "server/shard/ports.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::permission {

class url_observer final : public shell::observer_port {
public:
    // From the question to its answer, with the time in which it waits for its turn.
    static constexpr std::chrono::milliseconds timeout{1'000};
    // Questions under way at once; others wait for their turn.
    static constexpr std::size_t in_flight_max = 64;

    // Called on the thread of this object.
    using answer = std::function<void(hub::authorized&& word)>;

    // Whether any namespace has an address.
    static bool is_needed(const config& settings);

    // `settings` outlives it.
    explicit url_observer(const config& settings);
    ~url_observer() override;  // stops

    void start(answer to);
    // Questions that are not answered yet are forgotten. Safe to call again.
    void stop();

    // --- from any thread ---
    void post(std::vector<hub::to_observer>&& batch) override;
    bool admit() override;
    hub::interests wants() const override;
    const shell::authorization_counters* authorizations() const override;

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace pulsewire::permission
