#pragma once

// The client's end of TLS, on a socket that does not block. Every handshake is a full one.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace pulsewire::bench {

class tls_client {
public:
    // Trusts the certificates of `ca_file`, or without it those of the system; with `insecure`, all. Throws
    // std::runtime_error when the file cannot be used.
    tls_client(const std::string& ca_file, bool insecure);

private:
    friend class tls_stream;
    struct release {
        void operator()(ssl_ctx_st* p) const;
    };
    std::unique_ptr<ssl_ctx_st, release> context_;
    bool insecure_;
};

class tls_stream {
public:
    // `host` is the name that the certificate must have. The descriptor outlives the stream.
    tls_stream(const tls_client& client, const std::string& host, int descriptor);

    enum class outcome : std::uint8_t { done, wants_read, wants_write, failed };
    struct moved {
        outcome how = outcome::done;
        std::size_t bytes = 0;
    };
    outcome shake_hands();
    // One record, or the part that fits.
    moved read(std::span<char> into);
    moved write(std::string_view bytes);
    // The failure, as OpenSSL describes it.
    const std::string& fault() const { return fault_; }

private:
    struct release {
        void operator()(ssl_st* p) const;
    };
    outcome after(int returned);

    std::unique_ptr<ssl_st, release> ssl_;
    std::string fault_;
};

}  // namespace pulsewire::bench
