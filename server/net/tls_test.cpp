// The filter alone: a client in memory, a socket pair for what is sent.

#include "server/net/tls.hpp"

#include "server/testing/certificate.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace pulsewire::shell {
namespace {

using testing::certificate_files;
using testing::certificate_wishes;

// Returns the complaint of the constructor.
std::string fault_of_files(const std::string& certificate, const std::string& key) {
    try {
        const tls_context made(certificate, key);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "none";
}

class tls_files_test : public ::testing::Test {
protected:
    std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
    void expect_fault(const std::string& certificate, const std::string& key, const std::string& part) const {
        const std::string fault = fault_of_files(certificate, key);
        EXPECT_NE(fault.find(part), std::string::npos) << fault;
    }

    testing::temporary_folder folder_;
    certificate_files good_{path("good")};
};

TEST_F(tls_files_test, are_one_or_two) {
    EXPECT_EQ(fault_of_files(good_.certificate, good_.key), "none");
    const std::string both = path("both.pem");
    ASSERT_EQ(std::system(("cat " + good_.key + " " + good_.certificate + " > " + both).c_str()), 0);
    EXPECT_EQ(fault_of_files(both, both), "none");
    const certificate_files rsa(path("rsa"), {.key = certificate_wishes::kind::rsa});
    EXPECT_EQ(fault_of_files(rsa.certificate, rsa.key), "none");
}

TEST_F(tls_files_test, that_cannot_be_used_are_named_with_the_reason) {
    expect_fault(path("none.crt"), good_.key, path("none.crt") + " cannot be used: No such file");
    expect_fault(good_.certificate, path("none.key"), path("none.key") + " cannot be used: No such file");
    expect_fault(folder_.path(), good_.key, folder_.path() + " cannot be used: ");
    expect_fault(good_.key, good_.key, "fullchain.pem");
    expect_fault(good_.certificate, good_.certificate, "privkey.pem");
    const certificate_files other(path("other"));
    expect_fault(
        good_.certificate, other.key, other.key + " does not belong to the certificate " + good_.certificate
    );
    const certificate_files rsa(path("rsa"), {.key = certificate_wishes::kind::rsa});
    expect_fault(good_.certificate, rsa.key, "does not belong");
    const certificate_files encrypted(path("encrypted"), {.password = "secret"});
    expect_fault(encrypted.certificate, encrypted.key, "openssl pkey -in " + encrypted.key);
    if (::geteuid() == 0) return;  // to whom nothing is forbidden
    ASSERT_EQ(::chmod(good_.key.c_str(), 0), 0);
    expect_fault(good_.certificate, good_.key, "Permission denied. Let the user");
}

TEST_F(tls_files_test, a_certificate_out_of_its_time_is_loaded_and_told) {
    const std::int64_t now_s = std::time(nullptr);
    EXPECT_EQ(tls_context(good_.certificate, good_.key).fault_at(now_s), "");
    const certificate_files old(path("old"), {.begins_s = -7'200, .expires_s = -60});
    EXPECT_NE(
        tls_context(old.certificate, old.key).fault_at(now_s).find(old.certificate + " has expired at 2"),
        std::string::npos
    );
    const certificate_files early(path("early"), {.begins_s = 3'600});
    EXPECT_NE(
        tls_context(early.certificate, early.key).fault_at(now_s).find("Is this machine's clock right?"),
        std::string::npos
    );
    EXPECT_EQ(utc_text(0), "1970-01-01 00:00 UTC");
}

// A client whose bytes go where the test wants them.
class tls_session_test : public ::testing::TestWithParam<int> {
protected:
    tls_session_test() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0);
        const int small = 4'096;
        ::setsockopt(ends_[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        begin_again();
    }
    ~tls_session_test() override {
        SSL_free(client_);
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    // Both ends anew.
    void begin_again() {
        SSL_free(client_);
        SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_min_proto_version(context, GetParam());
        SSL_CTX_set_max_proto_version(context, GetParam());
        client_ = SSL_new(context);
        SSL_CTX_free(context);
        SSL_set_bio(client_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(client_);
        server_ = context_.new_session();
    }

    // Takes the bytes that the client has to send.
    std::string from_client() {
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(SSL_get_wbio(client_), &bytes);
        std::string all(bytes, static_cast<std::size_t>(size));
        (void)BIO_reset(SSL_get_wbio(client_));
        return all;
    }
    // Gives the client the bytes that the server has sent.
    void to_client() {
        char bytes[65536];
        ssize_t got = 0;
        while ((got = ::recv(ends_[1], bytes, sizeof bytes, 0)) > 0)
            BIO_write(SSL_get_rbio(client_), bytes, static_cast<int>(got));
    }
    // `cut` bytes at a time.
    tls_session::received give(const std::string& bytes, std::size_t cut = SIZE_MAX) {
        tls_session::received last;
        std::vector<char> plaintext(65'536 + tls_session::record_bytes_max);
        for (std::size_t at = 0; at < bytes.size(); at += std::min(cut, bytes.size() - at)) {
            const std::size_t size = std::min(cut, bytes.size() - at);
            last = server_->receive(
                std::span(bytes).subspan(at, size),
                std::span(plaintext).first(size + tls_session::record_bytes_max)
            );
            heard_.append(plaintext.data(), last.bytes);
            established_ += last.established ? 1 : 0;
            if (last.how != tls_session::state::open) break;
        }
        return last;
    }
    void shake_hands(std::size_t cut = SIZE_MAX) {
        while (!(server_->established() && SSL_is_init_finished(client_) == 1)) {
            (void)SSL_do_handshake(client_);
            ASSERT_EQ(give(from_client(), cut).how, tls_session::state::open);
            ASSERT_EQ(server_->flush(ends_[0]).how, tls_session::outcome::sent);
            to_client();
        }
    }
    std::string client_reads() {
        std::string all;
        char bytes[65536];
        int got = 0;
        while ((got = SSL_read(client_, bytes, sizeof bytes)) > 0)
            all.append(bytes, static_cast<std::size_t>(got));
        return all;
    }
    void client_writes(const std::string& text) {
        ASSERT_EQ(
            SSL_write(client_, text.data(), static_cast<int>(text.size())), static_cast<int>(text.size())
        );
    }

    testing::temporary_folder folder_;
    certificate_files files_{folder_.path() + "/server"};
    tls_context context_{files_.certificate, files_.key};
    std::unique_ptr<tls_session> server_;
    SSL* client_ = nullptr;
    int ends_[2];
    std::string heard_;
    int established_ = 0;
};

INSTANTIATE_TEST_SUITE_P(
    , tls_session_test, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
    [](const auto& version) { return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; }
);

TEST_P(tls_session_test, gives_all_that_came_however_it_was_cut) {
    for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::size_t{16'000}, std::size_t{65'536}}) {
        begin_again();
        heard_.clear();
        established_ = 0;
        shake_hands(cut);
        EXPECT_EQ(established_, 1) << "told once";
        std::string said;
        for (const std::size_t size : {1, 100, 16'384, 100'000}) {
            const std::string text(size, static_cast<char>('a' + size % 26));
            client_writes(text);
            said += text;
        }
        EXPECT_EQ(give(from_client(), cut).how, tls_session::state::open);
        EXPECT_TRUE(heard_ == said) << "in pieces of " << cut;
        SSL_shutdown(client_);
        EXPECT_EQ(give(from_client(), cut).how, tls_session::state::ended);
    }
}

TEST_P(tls_session_test, sends_parts_in_order_as_far_as_it_takes_them) {
    shake_hands();
    std::string a(10, 'a'), b(20'000, 'b'), c(3, 'c'), d(100'000, 'd');
    std::array<iovec, 4> parts{
        {{a.data(), a.size()}, {b.data(), b.size()}, {c.data(), c.size()}, {d.data(), d.size()}}};
    const auto s = server_->send(ends_[0], parts);
    EXPECT_EQ(s.taken, tls_session::taken_bytes_max);
    EXPECT_EQ(s.how, tls_session::outcome::blocked);
    EXPECT_TRUE(server_->waits());
    std::string heard;
    while (server_->waits()) {
        to_client();
        heard += client_reads();
        EXPECT_NE(server_->flush(ends_[0]).how, tls_session::outcome::failed);
    }
    to_client();
    heard += client_reads();
    EXPECT_TRUE(heard == (a + b + c + d).substr(0, tls_session::taken_bytes_max));
}

TEST_P(tls_session_test, sends_whatever_size_to_the_last_byte) {
    shake_hands();
    for (const std::size_t size : {1, 2, 16'383, 16'384, 16'385, 32'768, 32'769, 65'536}) {
        for (const std::size_t first : {std::size_t{0}, std::size_t{1}, size / 2, size - 1}) {
            std::string text(size, 'x');
            text.back() = 'z';
            std::array<iovec, 2> parts{{{text.data(), first}, {text.data() + first, size - first}}};
            auto s = server_->send(ends_[0], parts);
            EXPECT_EQ(s.taken, size);
            std::string heard;
            while (true) {
                to_client();
                heard += client_reads();
                if (!server_->waits()) break;
                s = server_->flush(ends_[0]);
                ASSERT_NE(s.how, tls_session::outcome::failed);
            }
            EXPECT_TRUE(heard == text) << size << " bytes, " << first << " of them apart";
        }
    }
}

TEST_P(tls_session_test, says_its_end_once) {
    EXPECT_FALSE(server_->close()) << "before the handshake there is nothing to say";
    shake_hands();
    EXPECT_TRUE(server_->close());
    EXPECT_EQ(server_->flush(ends_[0]).how, tls_session::outcome::sent);
    EXPECT_FALSE(server_->close());
    to_client();
    EXPECT_EQ(client_reads(), "");
    EXPECT_EQ(SSL_get_shutdown(client_), SSL_RECEIVED_SHUTDOWN);
}

TEST_P(tls_session_test, a_record_that_was_changed_ends_it) {
    shake_hands();
    client_writes("this is heard");
    std::string bytes = from_client();
    client_writes("this is not");
    std::string changed = from_client();
    changed.back() = static_cast<char>(changed.back() ^ 1);
    EXPECT_EQ(give(bytes + changed).how, tls_session::state::failed);
    EXPECT_EQ(heard_, "this is heard");
    EXPECT_TRUE(server_->waits()) << "an alert";
    EXPECT_EQ(give("more").how, tls_session::state::failed);
    EXPECT_FALSE(server_->close());
    EXPECT_EQ(ERR_peek_error(), 0u) << "nothing is left for another connection of the thread";
}

TEST_P(tls_session_test, no_renegotiation) {
    if (GetParam() != TLS1_2_VERSION) return;
    shake_hands();
    EXPECT_EQ(SSL_renegotiate(client_), 1);
    (void)SSL_do_handshake(client_);
    (void)give(from_client());
    (void)server_->flush(ends_[0]);
    to_client();
    EXPECT_LE(SSL_do_handshake(client_), 0);
    EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
}

// Each of them is answered, and nobody reads the answers.
TEST_P(tls_session_test, who_makes_it_answer_without_reading_is_cut_off) {
    if (GetParam() != TLS1_3_VERSION) return;
    shake_hands();
    int asked = 0;
    auto how = tls_session::state::open;
    for (; how == tls_session::state::open && asked < 100'000; ++asked) {
        SSL_key_update(client_, SSL_KEY_UPDATE_REQUESTED);
        (void)SSL_do_handshake(client_);
        how = give(from_client()).how;
        (void)server_->flush(ends_[0]);
    }
    EXPECT_EQ(how, tls_session::state::failed);
}

TEST_P(tls_session_test, http_without_tls_is_recognised) {
    EXPECT_EQ(give("GET / HTTP/1.1\r\nHost: x\r\n\r\n").how, tls_session::state::not_tls);
    server_ = context_.new_session();
    EXPECT_EQ(give("POST /api/channels/a/messages HTTP/1.1\r\n\r\n").how, tls_session::state::not_tls);
    server_ = context_.new_session();
    EXPECT_EQ(give("SSH-2.0-OpenSSH\r\n").how, tls_session::state::failed);
}

}  // namespace
}  // namespace pulsewire::shell
