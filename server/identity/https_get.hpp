#pragma once

// One GET over https, for the keys of an issuer.

#include "common/base/result.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace pulsewire::identity {

// Empty when keys may be asked for at that address: https, or http on this machine, with a host and without a
// password. Otherwise the end of a sentence.
std::string fault_of_key_address(const std::string& url);

class https_get {
public:
    static constexpr std::chrono::milliseconds timeout{5'000};

    https_get();
    ~https_get();
    https_get(const https_get&) = delete;
    https_get& operator=(const https_get&) = delete;

    // The body of an answer 200. Follows no redirect, gives up after `timeout` or beyond `bytes_max`. Errors
    // are ends of sentences. Waits for the network; precondition: fault_of_key_address(url) is empty.
    result<std::string, std::string> fetch(const std::string& url, std::size_t bytes_max);

    // Ends fetch(), the present one and all later ones. From any thread.
    void stop();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace pulsewire::identity
