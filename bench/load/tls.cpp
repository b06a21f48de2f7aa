#include "bench/load/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <stdexcept>

namespace pulsewire::bench {

void tls_client::release::operator()(ssl_ctx_st* p) const {
    SSL_CTX_free(p);
}

tls_client::tls_client(const std::string& ca_file, bool insecure)
    : context_(SSL_CTX_new(TLS_client_method())), insecure_(insecure) {
    SSL_CTX* const c = context_.get();
    if (c == nullptr) throw std::runtime_error("OpenSSL cannot be used");
    SSL_CTX_set_mode(
        c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    );
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(c, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
    if (ca_file.empty()) {
        SSL_CTX_set_default_verify_paths(c);
    } else if (SSL_CTX_load_verify_file(c, ca_file.c_str()) != 1) {
        throw std::runtime_error("--ca " + ca_file + " is no file of certificates in PEM form");
    }
}

void tls_stream::release::operator()(ssl_st* p) const {
    SSL_free(p);
}

tls_stream::tls_stream(const tls_client& client, const std::string& host, int descriptor)
    : ssl_(SSL_new(client.context_.get())) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor) != 1) throw std::runtime_error("no memory for TLS");
    SSL_set_connect_state(ssl_.get());
    if (client.insecure_) return;
    // An IP address must be among the certificate's addresses, a host name among its names.
    X509_VERIFY_PARAM* const checks = SSL_get0_param(ssl_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str()) == 1) return;
    ERR_clear_error();
    SSL_set1_host(ssl_.get(), host.c_str());
    SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
}

tls_stream::outcome tls_stream::after(int returned) {
    switch (SSL_get_error(ssl_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return outcome::wants_read;
        case SSL_ERROR_WANT_WRITE:
            return outcome::wants_write;
        case SSL_ERROR_ZERO_RETURN:
            fault_ = "the server closed the connection";
            return outcome::failed;
        default:
            break;
    }
    const char* words = ERR_reason_error_string(ERR_peek_error());
    fault_ = words == nullptr ? "the connection ended" : std::string("TLS: ") + words;
    ERR_clear_error();
    return outcome::failed;
}

tls_stream::outcome tls_stream::shake_hands() {
    ERR_clear_error();
    const int returned = SSL_do_handshake(ssl_.get());
    return returned == 1 ? outcome::done : after(returned);
}

tls_stream::moved tls_stream::read(std::span<char> into) {
    moved m;
    ERR_clear_error();
    const int returned = SSL_read_ex(ssl_.get(), into.data(), into.size(), &m.bytes);
    if (returned != 1) m.how = after(returned);
    return m;
}

tls_stream::moved tls_stream::write(std::string_view bytes) {
    moved m;
    ERR_clear_error();
    const int returned = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &m.bytes);
    if (returned != 1) m.how = after(returned);
    return m;
}

}  // namespace pulsewire::bench
