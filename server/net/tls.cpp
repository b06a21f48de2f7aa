#include "server/net/tls.hpp"

#include "server/base/freed_by.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace pulsewire::shell {

// The two ends of OpenSSL: it reads what receive() was given, and what it writes waits in the session.
struct tls_bio {
    // The bound of answers (to key updates, for example) that wait for a peer that reads nothing.
    static constexpr std::size_t waiting_bytes_max = 2 * tls_session::taken_bytes_max;

    static tls_session& session_of(BIO* bio) { return *static_cast<tls_session*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* into, int size) noexcept {
        std::span<const char>& input = session_of(bio).input_;
        BIO_clear_retry_flags(bio);
        if (input.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        const std::size_t count = std::min(input.size(), static_cast<std::size_t>(size));
        std::copy_n(input.data(), count, into);
        input = input.subspan(count);
        return static_cast<int>(count);
    }
    static int write(BIO* bio, const char* bytes, int size) noexcept {
        tls_session& s = session_of(bio);
        BIO_clear_retry_flags(bio);
        if (s.waiting_.size() - s.sent_ > waiting_bytes_max) return -1;
        s.waiting_.append(bytes, static_cast<std::size_t>(size));
        return size;
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static const BIO_METHOD* method() {
        static const BIO_METHOD* const made = [] {
            BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pulsewire");
            if (m == nullptr) throw std::runtime_error("OpenSSL cannot be used: no memory");
            BIO_meth_set_read(m, &read);
            BIO_meth_set_write(m, &write);
            BIO_meth_set_ctrl(m, &control);
            return m;
        }();
        return made;
    }
};

namespace {

constexpr std::size_t record_plaintext_bytes = 16 * 1024;  // RFC 8446 5.1
// Header, explicit nonce, type and tag of a record, of whichever version and cipher.
constexpr std::size_t record_overhead_bytes = 64;

using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;

// The oldest error of this thread, which is the cause, in OpenSSL's words; the others are forgotten.
std::string openssl_error() {
    const char* words = ERR_reason_error_string(ERR_peek_error());
    std::string text = words == nullptr ? "no reason given" : words;
    ERR_clear_error();
    return text;
}

[[noreturn]] void cannot_use(std::string_view what, const std::string& file, const std::string& why) {
    throw std::runtime_error("the " + std::string(what) + " " + file + " cannot be used: " + why);
}

// Why a file cannot be opened is told by the system better than by OpenSSL.
bio_ptr open_file(std::string_view what, const std::string& file) {
    std::FILE* opened = std::fopen(file.c_str(), "rbe");
    if (opened == nullptr) {
        const int error = errno;
        std::string advice;
        if (error == ENOENT) advice = ". Is the path right, as seen from where the server was started?";
        if (error == EACCES) advice = ". Let the user that the server runs as read it.";
        cannot_use(what, file, std::strerror(error) + advice);
    }
    bio_ptr bio(BIO_new_fp(opened, BIO_CLOSE));
    if (!bio) std::fclose(opened);
    return bio;
}

constexpr std::string_view certificate_words = "TLS certificate (tls_certificate)";
constexpr std::string_view key_words = "TLS key (tls_key)";

void load_certificate(SSL_CTX* context, const std::string& file) {
    (void)open_file(certificate_words, file);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, file.c_str()) == 1) return;
    cannot_use(
        certificate_words, file,
        openssl_error() +
            ". It must be a file in PEM form with the server's certificate first and those that lead to its "
            "issuer behind it, as fullchain.pem of Let's Encrypt."
    );
}

// Nobody is there to be asked for a password.
int no_password(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

key_ptr load_key(const std::string& file) {
    const bio_ptr bio = open_file(key_words, file);
    bool encrypted = false;
    ERR_clear_error();
    key_ptr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_password, &encrypted));
    if (key) return key;
    if (encrypted) {
        ERR_clear_error();
        cannot_use(
            key_words, file,
            "it is encrypted, and the server asks nobody for a password. Store it decrypted, readable for "
            "the "
            "server alone: openssl pkey -in " +
                file + " -out NEW"
        );
    }
    cannot_use(
        key_words, file,
        openssl_error() + ". It must be a private key in PEM form, as privkey.pem of Let's Encrypt."
    );
}

std::int64_t seconds_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return static_cast<std::int64_t>(::timegm(&parts));
}

// Browsers offer h2 as well; who offers only what is not spoken here is told so (RFC 7301 3.2).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes, const unsigned char* offered, unsigned int offered_bytes, void*) {
    static constexpr unsigned char spoken[] = "\x08http/1.1";
    unsigned char* match = nullptr;
    const int how =
        SSL_select_next_proto(&match, chosen_bytes, spoken, sizeof spoken - 1, offered, offered_bytes);
    *chosen = match;
    return how == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_up(SSL_CTX* c) {
    const auto must = [](long done) {
        if (done <= 0) throw std::runtime_error("this OpenSSL cannot be used: " + openssl_error());
    };
    must(SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION));
    // Forward secrecy and authenticated encryption; TLS 1.3 has nothing else.
    must(SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20"));
    // No group that lets a client choose a costly handshake. OpenSSL before 3.5 has no ML-KEM.
    if (SSL_CTX_set1_groups_list(c, "X25519MLKEM768:X25519:P-256:P-384") != 1) {
        ERR_clear_error();
        must(SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384"));
    }
    SSL_CTX_set_options(
        c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
               SSL_OP_PRIORITIZE_CHACHA
    );
    // An idle connection holds no buffers.
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    // Sessions are resumed by tickets, whose keys the context has for all shards; nothing is kept here.
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    static constexpr unsigned char name[] = "pulsewire";
    must(SSL_CTX_set_session_id_context(c, name, sizeof name - 1));
    SSL_CTX_set_alpn_select_cb(c, &choose_protocol, nullptr);
}

}  // namespace

std::string utc_text(std::int64_t time_s) {
    const auto time = static_cast<std::time_t>(time_s);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[64];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts));
}

// --- the context ---

void tls_context::release::operator()(ssl_ctx_st* p) const {
    SSL_CTX_free(p);
}

tls_context::tls_context(const std::string& certificate_file, const std::string& key_file)
    : context_(SSL_CTX_new(TLS_server_method())), certificate_file_(certificate_file) {
    if (!context_) throw std::runtime_error("this OpenSSL cannot be used: " + openssl_error());
    SSL_CTX* const c = context_.get();
    set_up(c);
    load_certificate(c, certificate_file);
    const key_ptr key = load_key(key_file);
    X509* const certificate = SSL_CTX_get0_certificate(c);
    if (X509_check_private_key(certificate, key.get()) != 1) {
        ERR_clear_error();
        throw std::runtime_error(
            "the TLS key " + key_file + " does not belong to the certificate " + certificate_file +
            ": tls_key must be the private key that the first certificate of tls_certificate was made with"
        );
    }
    if (SSL_CTX_use_PrivateKey(c, key.get()) != 1) cannot_use(key_words, key_file, openssl_error());
    begins_s_ = seconds_of(X509_get0_notBefore(certificate));
    expires_s_ = seconds_of(X509_get0_notAfter(certificate));
}

std::unique_ptr<tls_session> tls_context::new_session() const {
    return std::make_unique<tls_session>(context_.get());
}

std::string tls_context::fault_at(std::int64_t now_s) const {
    if (now_s >= expires_s_)
        return "the TLS certificate " + certificate_file_ + " has expired at " + utc_text(expires_s_) +
               ": clients refuse it until it is renewed";
    if (now_s < begins_s_)
        return "the TLS certificate " + certificate_file_ + " is valid from " + utc_text(begins_s_) +
               " on: clients refuse it until then. Is this machine's clock right?";
    return {};
}

// --- the session ---

void tls_session::release::operator()(ssl_st* p) const {
    SSL_free(p);
}

tls_session::tls_session(ssl_ctx_st* context) : ssl_(SSL_new(context)) {
    BIO* const bio = ssl_ ? BIO_new(tls_bio::method()) : nullptr;
    if (bio == nullptr) throw std::runtime_error("no TLS for a connection: " + openssl_error());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
}

tls_session::~tls_session() = default;

bool tls_session::resumed() const {
    return SSL_session_reused(ssl_.get()) == 1;
}

// Reads the thread's error queue, which was cleared before the call, and leaves it clear for other
// connections.
tls_session::state tls_session::state_after(int returned) {
    switch (SSL_get_error(ssl_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return state::open;
        case SSL_ERROR_ZERO_RETURN:
            return state::ended;
        default:
            break;
    }
    const unsigned long error = ERR_peek_error();
    if (const char* words = ERR_reason_error_string(error); words != nullptr) fault_ = words;
    const bool http = ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
    ERR_clear_error();
    failed_ = true;
    return http ? state::not_tls : state::failed;
}

tls_session::received tls_session::receive(std::span<const char> ciphertext, std::span<char> plaintext) {
    received r;
    if (failed_) return {0, state::failed, false};
    begun_ = true;
    input_ = ciphertext;
    ERR_clear_error();
    while (r.how == state::open) {
        std::size_t got = 0;
        const std::span<char> room = plaintext.subspan(r.bytes);
        if (room.empty()) throw std::logic_error("the buffer for plaintext is too small");
        const int returned = SSL_read_ex(ssl_.get(), room.data(), room.size(), &got);
        r.bytes += got;
        if (returned == 1) continue;
        r.how = state_after(returned);
        break;
    }
    if (!established_ && SSL_is_init_finished(ssl_.get()) == 1) r.established = established_ = true;
    input_ = {};
    return r;
}

bool tls_session::encrypt(const char* data, std::size_t size) {
    std::size_t written = 0;
    const int returned = SSL_write_ex(ssl_.get(), data, size, &written);
    if (returned == 1 && written == size) return true;
    // Only a session without handshake, or one that broke: the session's own end takes everything.
    (void)state_after(returned);
    failed_ = true;
    return false;
}

tls_session::sent tls_session::send(int socket, std::span<const iovec> parts) {
    sent s;
    std::size_t wanted = 0;
    for (const iovec& part : parts) wanted += part.iov_len;
    wanted = std::min(wanted, taken_bytes_max);
    waiting_.reserve(wanted + (wanted / record_plaintext_bytes + 1) * record_overhead_bytes);
    // Full records: parts are copied together, or encrypted where they are when they fill one alone.
    char joined[record_plaintext_bytes];
    std::size_t filled = 0;
    bool good = !failed_ && established_;
    ERR_clear_error();
    for (const iovec& part : parts) {
        const char* data = static_cast<const char*>(part.iov_base);
        std::size_t left = std::min(part.iov_len, wanted - s.taken);
        s.taken += left;
        while (good && left > 0) {
            const std::size_t count = std::min(left, record_plaintext_bytes - filled);
            if (count == record_plaintext_bytes) {
                good = encrypt(data, count);
            } else {
                std::copy_n(data, count, joined + filled);
                filled += count;
                if (filled == record_plaintext_bytes) good = encrypt(joined, std::exchange(filled, 0));
            }
            data += count;
            left -= count;
        }
    }
    if (good && filled > 0) good = encrypt(joined, filled);
    if (!good) return {outcome::failed, 0, 0};
    const sent out = flush(socket);
    return {out.how, s.taken, out.bytes};
}

tls_session::sent tls_session::flush(int socket) {
    sent s;
    while (sent_ < waiting_.size()) {
        const ssize_t count =
            ::send(socket, waiting_.data() + sent_, waiting_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0) {
            if (errno == EINTR) continue;
            s.how = errno == EAGAIN || errno == EWOULDBLOCK ? outcome::blocked : outcome::failed;
            return s;
        }
        sent_ += static_cast<std::size_t>(count);
        s.bytes += static_cast<std::size_t>(count);
    }
    std::string().swap(waiting_);
    sent_ = 0;
    return s;
}

bool tls_session::close() {
    if (closed_ || failed_ || !established_) return false;
    closed_ = true;
    ERR_clear_error();
    if (SSL_shutdown(ssl_.get()) < 0) ERR_clear_error();
    return waits();
}

}  // namespace pulsewire::shell
