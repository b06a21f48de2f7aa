// TLS as its users meet it: a whole server, real sockets, OpenSSL's own client.

#include "server/endpoint/welcome.hpp"
#include "server/shard/node.hpp"
#include "server/testing/certificate.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;

constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

class secure_connection_test : public ::testing::Test {
protected:
    config secure(config c = test_config()) const {
        c.tls_certificate = files_.certificate;
        c.tls_key = files_.key;
        return c;
    }
    // Other files take the place of those that the server was started with.
    void replace(const certificate_files& by) const {
        std::filesystem::copy_file(
            by.certificate, files_.certificate, std::filesystem::copy_options::overwrite_existing
        );
        std::filesystem::copy_file(by.key, files_.key, std::filesystem::copy_options::overwrite_existing);
    }
    std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

    temporary_folder folder_;
    certificate_files files_{path("server"), {.name = "first"}};
};

// Names the certificate that a new connection gets, when it is `name`.
void wait_for_certificate(const running_server& server, const std::string& name) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    // One after the other may come to any of the shards.
    for (int in_a_row = 0; in_a_row < 32;) {
        in_a_row = client(server.port(), tls_wishes()).peer_name() == name ? in_a_row + 1 : 0;
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("the certificate stays another");
    }
}

std::string publish_line(int id, const std::string& channel, const std::string& payload) {
    return R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":")" + channel +
           R"(","type":"t","conflate":"k","payload":")" + payload + "\"}";
}

TEST_F(secure_connection_test, http_and_the_whole_protocol_go_through_it) {
    running_server server(secure());
    for (const int version : versions) {
        client http(server.port(), tls_wishes{version});
        EXPECT_EQ(ask(http, "GET", "/healthz").body, "ok\n");
        EXPECT_EQ(ask(http, "GET", "/healthz").status, 200) << "kept alive";

        const std::string channel = "chat:" + std::to_string(version);
        auto ada = subscribed(client(server.port(), tls_wishes{version}), channel, "session-of-ada");
        auto bob = subscribed(client(server.port(), tls_wishes{version}), channel, "session-of-bob");
        client events(server.port(), tls_wishes{version});
        events.send("GET /events?channel=" + channel + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        events.read_until("pulsewire.open");
        ada.send_text(publish_line(3, channel, "hello"));
        EXPECT_NE(bob.line_with("\"payload\":\"hello\"").find("\"offset\":1"), std::string::npos);
        events.read_until("hello");
        EXPECT_EQ(
            ask(http, "POST", "/api/channels/" + channel + "/messages", R"({"payload":"posted"})").status, 200
        );
        ada.line_with("posted");
        events.read_until("posted");
        ada.send_frame(websocket::opcode::close, std::string("\x03\xe8", 2));
        EXPECT_EQ(ada.closed().code, 1000);
        EXPECT_FALSE(ada.connection().read_more());
        EXPECT_TRUE(ada.connection().ended_with_words()) << "a close_notify, not just the end of TCP";
    }
    EXPECT_EQ(server.metric("pulsewire_tls_handshake_errors_total"), 0);
    EXPECT_GE(server.metric("pulsewire_tls_handshakes_total{resumed=\"false\"}"), 8);
    EXPECT_GT(server.metric("pulsewire_tls_certificate_expires_seconds"), 1.7e9);
}

TEST_F(secure_connection_test, a_page_of_its_own_host_is_its_own_by_https_alone) {
    config settings = secure();
    settings.allowed_origins = {"https://app.example"};  // or all pages of this machine may come
    running_server server(settings);
    client c(server.port(), tls_wishes());
    EXPECT_EQ(ask(c, "GET", "/api/channels/a/messages", {}, "Origin: https://localhost\r\n").status, 200);
    EXPECT_EQ(ask(c, "GET", "/api/channels/a/messages", {}, "Origin: http://localhost\r\n").status, 403);
}

TEST_F(secure_connection_test, older_versions_are_refused_by_an_alert) {
    running_server server(secure());
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        try {
            client c(server.port(), tls_wishes{version});
            ADD_FAILURE() << "accepted " << std::hex << version;
        } catch (const std::runtime_error& e) {
            EXPECT_NE(std::string(e.what()).find("protocol version"), std::string::npos) << e.what();
        }
    }
    server.wait_for("pulsewire_tls_handshake_errors_total", 2);
}

TEST_F(secure_connection_test, it_is_agreed_that_http_11_is_spoken) {
    running_server server(secure());
    client both(server.port(), tls_wishes{.protocols = "\x02h2\x08http/1.1"});
    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(both.tls(), &chosen, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
    EXPECT_THROW(client(server.port(), tls_wishes{.protocols = "\x02h2"}), std::runtime_error);
}

TEST_F(secure_connection_test, a_ticket_resumes_on_every_shard) {
    running_server server(secure(test_config(3)));
    double resumed = 0;
    for (const int version : versions) {
        client first(server.port(), tls_wishes{version});
        EXPECT_EQ(ask(first, "GET", "/healthz").status, 200);
        EXPECT_FALSE(first.resumed());
        const tls_ticket ticket = first.ticket();
        for (int i = 0; i < 24; ++i) {
            client again(server.port(), tls_wishes{version, ticket});
            EXPECT_EQ(ask(again, "GET", "/healthz").status, 200);
            EXPECT_TRUE(again.resumed()) << std::hex << version << " " << i;
            ++resumed;
        }
    }
    EXPECT_EQ(server.metric("pulsewire_tls_handshakes_total{resumed=\"true\"}"), resumed);
}

// The kernel takes what fits; what was encrypted stays, what was not may still be dropped or replaced.
TEST_F(secure_connection_test, a_slow_reader_gets_whole_messages_and_is_told_what_it_missed) {
    config c = secure();
    c.bounds.commands_per_second = 0;
    c.shell.queue_bytes_max = 128 * 1024;
    c.namespaces["old"].slow_consumers = slow_consumer::drop_oldest;
    c.namespaces["key"].slow_consumers = slow_consumer::latest_per_key;
    constexpr int messages = 2'000;
    for (const std::string channel : {"old:a", "key:a"}) {
        running_server server(c);
        auto slow = subscribed(client(server.port(), tls_wishes(), 4'096), channel, "slow-session");
        auto good = subscribed(client(server.port(), tls_wishes()), channel, "good-session");
        auto publisher = connected(client(server.port(), tls_wishes()), "publisher-session");
        for (int i = 1; i <= messages; ++i) {
            publisher.send_text(
                publish_line(i + 10, channel, std::string(8'000, static_cast<char>('a' + i % 26)))
            );
            good.line_with("\"offset\":" + std::to_string(i) + ",");
        }
        int position = 0, came = 0;
        while (position < messages) {
            const std::string line = slow.next_line();
            ASSERT_FALSE(line.empty()) << "the connection ended at " << position;
            const std::size_t at = line.find("\"offset\":");
            if (at == std::string::npos) continue;
            const int offset = std::stoi(line.substr(at + 9));
            if (line.find("\"op\":\"gap\"") == std::string::npos) {
                EXPECT_EQ(offset, position + 1);
                EXPECT_NE(
                    line.find(std::string(8'000, static_cast<char>('a' + offset % 26)) + "\""),
                    std::string::npos
                );
                ++came;
            }
            position = offset;
        }
        EXPECT_LT(came, messages);
        slow.send_text(R"({"op":"ping","id":9})");
        slow.line_with("\"pong\"");
    }
}

TEST_F(secure_connection_test, large_messages_go_both_ways) {
    config c = secure();
    c.bounds.message_bytes_max = 4 * 1024 * 1024;
    c.shell.queue_bytes_max = 64 * 1024 * 1024;
    running_server server(c);
    for (const int version : versions) {
        const std::string channel = "large" + std::to_string(version);
        auto reader =
            subscribed(client(server.port(), tls_wishes{version}, 4'096), channel, "reader-session");
        auto writer = connected(client(server.port(), tls_wishes{version}), "writer-session");
        const std::string payload(3'000'000, 'x');
        for (int i = 0; i < 3; ++i) writer.send_text(publish_line(3 + i, channel, payload));
        for (int i = 0; i < 3; ++i) EXPECT_GT(reader.line_with("\"payload\"").size(), payload.size());
    }
}

TEST_F(secure_connection_test, a_handshake_has_the_time_of_a_requests_head) {
    config c = secure();
    c.shell.http_head_timeout_ms = 200;
    running_server server(c);
    client silent(server.port());
    client begun(server.port());
    begun.send(std::string("\x16\x03\x01\x3f\xff\x01\x00", 7));
    client dribbling(server.port());
    dribbling.send(std::string("\x16\x03\x01\x3f\xff\x01\x00", 7));
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (pollfd end{dribbling.socket(), POLLIN, 0}; ::poll(&end, 1, 20) == 0;) {
        dribbling.send("a");
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "each byte buys more time";
    }
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_EQ(begun.read_to_end(), "");
    server.wait_for("pulsewire_connections{transport=\"http\"}", 1);  // the one that asks
    EXPECT_EQ(server.metric("pulsewire_tls_handshake_errors_total"), 2);
}

TEST_F(secure_connection_test, who_speaks_no_tls_is_told_so) {
    running_server server(secure());
    client plain(server.port());
    plain.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const http_answer answer = read_answer(plain);
    EXPECT_EQ(answer.status, 400);
    EXPECT_NE(answer.body.find("use https://"), std::string::npos) << answer.body;
    EXPECT_EQ(plain.read_to_end(), "");
    client garbage(server.port());
    garbage.send("SSH-2.0-OpenSSH_9.2\r\n");
    EXPECT_LE(garbage.read_to_end().size(), 7u) << "an alert at most";
    server.wait_for("pulsewire_tls_handshake_errors_total", 2);
}

TEST_F(secure_connection_test, every_end_is_an_end) {
    running_server server(secure());
    for (const int version : versions) {
        client said(server.port(), tls_wishes{version});
        said.say_end();
        EXPECT_EQ(said.read_to_end(), "");
        client truncated(server.port(), tls_wishes{version});
        truncated.send("GET /healthz HTTP/1.1\r\n");
        truncated.shut_down_sending();
        EXPECT_EQ(truncated.read_to_end(), "");
        client last(server.port(), tls_wishes{version});
        last.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        EXPECT_EQ(read_answer(last).status, 200);
        EXPECT_EQ(last.read_to_end(), "");
        EXPECT_TRUE(last.ended_with_words());
        auto gone = subscribed(client(server.port(), tls_wishes{version}), "a");
        gone.connection().reset();
    }
    server.wait_for("pulsewire_connections{transport=\"websocket\"}", 0);
    server.wait_for("pulsewire_connections{transport=\"http\"}", 1);
    EXPECT_EQ(server.metric("pulsewire_tls_handshake_errors_total"), 0);
}

// The bytes with which a client begins.
std::string client_hello() {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL* const tls = SSL_new(context);
    SSL_set_bio(tls, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(tls);
    (void)SSL_do_handshake(tls);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(tls), &bytes);
    std::string hello(bytes, static_cast<std::size_t>(size));
    SSL_free(tls);
    SSL_CTX_free(context);
    return hello;
}

TEST_F(secure_connection_test, many_that_go_in_the_middle_of_their_handshake_leave_nothing) {
    running_server server(secure());
    const std::string hello = client_hello();
    double begun = 0;
    for (std::size_t cut = 0; cut <= hello.size(); cut += 3) {
        client c(server.port());
        c.send(hello.substr(0, cut));
        if (cut % 2 == 0) c.shut_down_sending();
        if (cut % 5 == 0) {
            c.reset();  // which may take back what was sent
        } else if (cut > 0) {
            ++begun;
        }
    }
    server.wait_for("pulsewire_connections{transport=\"http\"}", 1);
    EXPECT_GE(server.metric("pulsewire_tls_handshake_errors_total"), begun);
}

TEST_F(secure_connection_test, beyond_the_connections_that_may_be_it_is_just_closed) {
    config c = secure();
    c.shell.connections_max = 1;
    running_server server(c);
    client only(server.port(), tls_wishes());
    EXPECT_EQ(ask(only, "GET", "/healthz").status, 200);
    client another(server.port());
    EXPECT_EQ(another.read_to_end(), "");
    EXPECT_EQ(ask(only, "GET", "/healthz").status, 200);
}

TEST_F(secure_connection_test, a_renewed_certificate_is_for_new_connections) {
    running_server server(secure());
    client before(server.port(), tls_wishes());
    EXPECT_EQ(before.peer_name(), "first");
    auto open = subscribed(client(server.port(), tls_wishes()), "a", "open-session");
    replace(certificate_files(path("next"), {.expires_s = 90 * 24 * 3'600, .name = "second"}));
    const double expires = server.metric("pulsewire_tls_certificate_expires_seconds");
    server->reload_tls();
    wait_for_certificate(server, "second");
    EXPECT_GT(server.metric("pulsewire_tls_certificate_expires_seconds"), expires);
    EXPECT_EQ(ask(before, "GET", "/healthz").status, 200);
    open.send_text(publish_line(3, "a", "still here"));
    open.line_with("still here");
}

TEST_F(secure_connection_test, what_cannot_be_used_changes_nothing) {
    shell::node node(secure(), {}, shell::http_welcome());
    node.start();
    const auto shown = [&] { return client(node.port(), tls_wishes()).peer_name(); };
    const auto expect_refused = [&](const certificate_files& bad, const std::string& why) {
        replace(bad);
        try {
            node.reload_tls();
            ADD_FAILURE() << "accepted what " << why;
        } catch (const std::runtime_error& e) {
            EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
        }
        for (int i = 0; i < 8; ++i) EXPECT_EQ(shown(), "first");
    };
    certificate_files other(path("other"), {.name = "other"});
    certificate_files mismatched = other;
    mismatched.key = path("first.key");
    std::filesystem::copy_file(files_.key, mismatched.key);
    certificate_files broken = other;
    broken.certificate = path("broken.crt");
    std::ofstream(broken.certificate) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    expect_refused(mismatched, "does not belong");
    expect_refused(broken, files_.certificate + " cannot be used");
    expect_refused(certificate_files(path("old"), {.begins_s = -7'200, .expires_s = -60}), "has expired");
    expect_refused(certificate_files(path("early"), {.begins_s = 3'600}), "clock");
    expect_refused(certificate_files(path("locked"), {.password = "secret"}), "encrypted");
    replace(other);
    node.reload_tls();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (shown() != "other") ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::filesystem::remove(files_.key);
    EXPECT_THROW(node.reload_tls(), std::runtime_error);
    EXPECT_EQ(shown(), "other");
}

TEST_F(secure_connection_test, sighup_reads_the_files_again) {
    config c = secure();
    c.handle_signals = true;
    running_server server(c);
    replace(certificate_files(path("next"), {.name = "second"}));
    ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
    wait_for_certificate(server, "second");
}

TEST_F(secure_connection_test, reloading_under_load_fails_no_handshake) {
    running_server server(secure(test_config(2)));
    std::atomic<bool> ended = false;
    std::atomic<int> done = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back([&] {
            while (!ended) {
                client c(server.port(), tls_wishes());
                EXPECT_EQ(ask(c, "GET", "/healthz").status, 200);
                ++done;
            }
        });
    }
    const certificate_files one(path("one"), {.name = "one"});
    const certificate_files two(path("two"), {.name = "two"});
    certificate_files mixed = one;
    mixed.key = two.key;
    for (int i = 0; i < 21; ++i) {
        const int before = done;
        replace(i % 3 == 0 ? one : i % 3 == 1 ? mixed : two);
        server->reload_tls();
        while (done < before + 4) std::this_thread::yield();
    }
    ended = true;
    for (std::thread& t : clients) t.join();
    EXPECT_EQ(server.metric("pulsewire_tls_handshake_errors_total"), 0);
}

TEST_F(secure_connection_test, a_server_without_usable_files_does_not_start) {
    const auto fault_with = [&](const certificate_files& files) {
        config c = test_config();
        c.tls_certificate = files.certificate;
        c.tls_key = files.key;
        try {
            running_server server(c);
        } catch (const std::runtime_error& e) {
            return std::string(e.what());
        }
        return std::string("started");
    };
    certificate_files mixed(path("a"));
    mixed.key = certificate_files(path("b")).key;
    EXPECT_NE(fault_with(mixed).find("does not belong"), std::string::npos);
    certificate_files missing(path("c"));
    std::filesystem::remove(missing.key);
    EXPECT_NE(fault_with(missing).find("No such file"), std::string::npos);
    certificate_files half(path("d"));
    half.key.clear();
    EXPECT_NE(fault_with(half).find("only tls_certificate is set"), std::string::npos);
    EXPECT_EQ(fault_with(certificate_files(path("e"), {.begins_s = -7'200, .expires_s = -60})), "started")
        << "clients that do not mind are served, and the log says that the others are not";
}

TEST_F(secure_connection_test, the_end_of_the_server_is_said_within_tls) {
    config c = secure();
    c.shell.drain_spread_ms = 50;
    running_server server(c);
    auto ws = subscribed(client(server.port(), tls_wishes()), "a");
    client idle(server.port(), tls_wishes());
    EXPECT_EQ(ask(idle, "GET", "/healthz").status, 200);
    client in_handshake(server.port());
    in_handshake.send(client_hello().substr(0, 100));
    server->stop();
    ws.line_with("\"code\":1012");
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_TRUE(idle.ended_with_words());
    EXPECT_EQ(in_handshake.read_to_end(), "");
    ws.send_frame(websocket::opcode::close, std::string("\x03\xf4", 2));
    EXPECT_EQ(server.stop(), 0);
}

}  // namespace
}  // namespace pulsewire
