#include "server/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace pulsewire::shell {

std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    while (true) {
        const ssize_t got = ::getrandom(&bits, sizeof bits, 0);  // up to 256 bytes are never cut
        if (got == static_cast<ssize_t>(sizeof bits)) return bits;
        if (got >= 0 || errno != EINTR) std::abort();
    }
}

std::string random_secret() {
    static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string secret;
    secret.reserve(22);
    for (int half = 0; half < 2; ++half) {
        std::uint64_t bits = random_bits();
        for (int i = 0; i < 11; ++i, bits >>= 6) secret.push_back(letters[bits & 63]);
    }
    return secret;
}

}  // namespace pulsewire::shell
