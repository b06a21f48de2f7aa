#pragma once

// TLS 1.2 and 1.3 as a filter of bytes. A session gets what was read from its socket and decrypts all of it
// at once, so nothing that has arrived waits inside for a readiness that never comes. What it encrypts is
// sent in one system call; the part that the kernel does not take stays in the session, and no plaintext is
// taken as long as something stays: what was taken is never asked for again, so the queue before it may drop
// and replace as it likes. docs/decisions/0010-tls.md.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct bio_st;
struct iovec;
struct ssl_ctx_st;
struct ssl_st;

namespace pulsewire::shell {

class tls_session;

// A time in seconds since 1970 as "2027-03-01 12:00 UTC".
std::string utc_text(std::int64_t time_s);

// A certificate, its key, and how they are used. Constant, so that all shards can use one at a time.
class tls_context {
public:
    // Both files in PEM form: the certificate with those that lead to its issuer behind it, and its private
    // key. They may be the same file. Throws std::runtime_error with a sentence for the operator.
    tls_context(const std::string& certificate_file, const std::string& key_file);

    // Throws std::runtime_error when there is no memory for it. May outlive the context.
    std::unique_ptr<tls_session> new_session() const;

    // When the certificate ends, in seconds since 1970.
    std::int64_t expires_s() const { return expires_s_; }
    // Why clients refuse the certificate at this time, as a sentence for the operator; empty when they do
    // not.
    std::string fault_at(std::int64_t now_s) const;

private:
    struct release {
        void operator()(ssl_ctx_st* p) const;
    };
    std::unique_ptr<ssl_ctx_st, release> context_;
    std::string certificate_file_;
    std::int64_t begins_s_ = 0;
    std::int64_t expires_s_ = 0;
};

// The server's end of one connection.
class tls_session {
public:
    explicit tls_session(ssl_ctx_st* context);
    ~tls_session();
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;

    enum class state : std::uint8_t {
        open,     // more may come
        ended,    // the peer has said that it sends nothing more
        failed,   // nothing can be sent or received any more, but the alert that waits
        not_tls,  // failed: the peer speaks HTTP without TLS
    };
    struct received {
        std::size_t bytes = 0;  // of plaintext
        state how = state::open;
        bool established = false;  // the handshake has come to its end with this
    };
    // An incomplete record of at most this many bytes stays in a session, and comes out with its rest.
    static constexpr std::size_t record_bytes_max = 17 * 1024;
    // Decrypts what was read. `plaintext` has room for record_bytes_max more than `ciphertext` has. What the
    // peer must be told, waits() and is for flush().
    received receive(std::span<const char> ciphertext, std::span<char> plaintext);

    enum class outcome : std::uint8_t { sent, blocked, failed };
    struct sent {
        outcome how = outcome::sent;
        std::size_t taken = 0;  // of plaintext
        std::size_t bytes = 0;  // that the kernel took
    };
    // Takes at most this much plaintext at a time.
    static constexpr std::size_t taken_bytes_max = 64 * 1024;
    // Encrypts the parts, as far as they are taken, and sends. Precondition: nothing waits().
    sent send(int socket, std::span<const iovec> parts);
    // Sends what waits.
    sent flush(int socket);
    bool waits() const { return !waiting_.empty(); }
    // Says that nothing more will be sent. Whether something waits() because of that: the first time only.
    bool close();

    // Something has come, and neither the handshake's end nor a failure.
    bool in_handshake() const { return begun_ && !established_ && !failed_; }
    bool established() const { return established_; }
    // After a failure: OpenSSL's words for it.
    const char* fault() const { return fault_; }
    // Whether the peer came back with a ticket, which saves the costly half of a handshake.
    bool resumed() const;

private:
    friend struct tls_bio;
    struct release {
        void operator()(ssl_st* p) const;
    };
    state state_after(int returned);
    bool encrypt(const char* data, std::size_t size);

    std::unique_ptr<ssl_st, release> ssl_;
    std::span<const char> input_;  // during receive()
    std::string waiting_;          // ciphertext, without memory when there is none
    std::size_t sent_ = 0;         // of it
    const char* fault_ = "";       // a literal of OpenSSL's
    bool begun_ = false;
    bool established_ = false;
    bool closed_ = false;
    bool failed_ = false;
};

}  // namespace pulsewire::shell
