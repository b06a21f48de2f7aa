// Files over real sockets, below a folder with everything a request must not reach beside it.

#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace pulsewire {
namespace {

using namespace testing;
namespace fs = std::filesystem;

class static_files_test : public ::testing::Test {
protected:
    static_files_test() {
        write("secret.txt", "secret");
        write("web/index.html", "<h1>index</h1>");
        write("web/chat/index.html", "<h1>chat</h1>");
        write("web/app.js", "export {};");
        write("web/core.wasm", std::string("\0asm", 4));
        write("web/with space.txt", "space");
        write("web/.env", "hidden");
        write("web/empty.txt", "");
        write("web/big.bin", std::string(5'000'000, 'b'));
        write("web/packed.js", "plain");
        write("web/packed.js.br", "brotli");
        write("web/packed.js.gz", "gzip");
        fs::create_symlink("../secret.txt", folder_ / "web/link.txt");
        fs::create_directory_symlink("..", folder_ / "web/up");
        config c = test_config();
        c.web_root = (folder_ / "web").string();
        server_.emplace(c);
    }
    void write(const std::string& name, const std::string& content) {
        fs::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name, std::ios::binary) << content;
    }
    http_answer get(
        const std::string& target, const std::string& fields = {}, const std::string& method = "GET"
    ) {
        return ask(server_->port(), method, target, {}, fields);
    }

    temporary_folder temporary_;
    fs::path folder_ = temporary_.path();
    std::optional<running_server> server_;
};

TEST_F(static_files_test, are_served_with_type_and_security_fields) {
    const auto index = get("/");
    EXPECT_EQ(index.status, 200);
    EXPECT_EQ(index.body, "<h1>index</h1>");
    EXPECT_EQ(index.field("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(
        index.field("Content-Security-Policy"),
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
        "connect-src "
        "'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    );
    EXPECT_EQ(index.field("X-Content-Type-Options"), "nosniff");
    EXPECT_NE(index.field("Referrer-Policy"), "");
    EXPECT_EQ(get("/app.js").field("Content-Type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(get("/core.wasm").field("Content-Type"), "application/wasm");
    EXPECT_EQ(get("/with%20space.txt?x=1").body, "space");
    EXPECT_EQ(get("/empty.txt").field("Content-Length"), "0");
}

// With a base path, for a load balancer that routes by it.
TEST_F(static_files_test, everything_is_below_the_base_path) {
    config c = test_config();
    c.web_root = (folder_ / "web").string();
    c.base_path = "/real/time";
    running_server server(c);
    const auto there = [&](const std::string& target) { return ask(server.port(), "GET", target); };
    EXPECT_EQ(there("/real/time/").body, "<h1>index</h1>");
    EXPECT_EQ(there("/real/time/app.js").status, 200);
    EXPECT_EQ(there("/real/time?a=b").field("Location"), "/real/time/?a=b");
    EXPECT_EQ(there("/real/time/chat").field("Location"), "/real/time/chat/");
    EXPECT_EQ(there("/real/time/ws").status, 426);
    EXPECT_EQ(there("/real/time/api/channels/a/presence").status, 200);
    EXPECT_EQ(there("http://localhost/real/time/healthz").status, 200);
    EXPECT_EQ(websocket_client(server.port(), "/real/time/ws", "pulsewire.v1").handshake.status, 101);
    for (const char* own : {"/healthz", "/metrics", "/real/time/metrics"})
        EXPECT_EQ(there(own).status, 200) << own;
    for (const char* outside :
         {"/", "/ws", "/index.html", "/api/channels/a/presence", "/real/timer/ws", "/real",
          "/real/time/real/time/ws"}) {
        const auto a = there(outside);
        EXPECT_EQ(a.status, 404) << outside;
        if (std::string(outside) != "/real/time/real/time/ws") {
            EXPECT_NE(a.body.find("/real/time/"), std::string::npos) << outside;
        }
    }
    EXPECT_EQ(ask(server.port(), "OPTIONS", "*").status, 204);
}

TEST_F(static_files_test, pages_may_go_where_their_clients_are_sent) {
    for (const auto& [url, origin] :
         {std::pair("https://b.example.com/rt", "https://b.example.com;"),
          std::pair("ws://127.0.0.1:8081", "http://127.0.0.1:8081;")}) {
        config c = test_config();
        c.web_root = (folder_ / "web").string();
        c.drain_url = url;
        running_server other(c);
        const std::string policy = ask(other.port(), "GET", "/").field("Content-Security-Policy");
        EXPECT_NE(policy.find("connect-src 'self' ws: wss: " + std::string(origin)), std::string::npos)
            << policy;
    }
}

TEST_F(static_files_test, a_folder_is_its_index) {
    EXPECT_EQ(get("/chat/").body, "<h1>chat</h1>");
    const auto moved = get("/chat?room=1");
    EXPECT_EQ(moved.status, 308);
    EXPECT_EQ(moved.field("Location"), "/chat/?room=1");
}

TEST_F(static_files_test, nothing_outside_the_folder_is_reached) {
    const char* targets[] = {
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/chat/../../secret.txt",
        "/link.txt",
        "/up/secret.txt",
        "/up/web/index.html",
        "/..\\secret.txt",
        "//etc/passwd",
        "/./index.html",
        "/.env",
        "/chat/..%5c..",
        "/%00",
        "/index.html%00.js",
        "/%2e/index.html",
        "/....//secret.txt",
        "/chat//index.html",
        "/%252e%252e/secret.txt",
        "/index.html/",
        "/index.html/x",
        "/up",
        "/%c0%ae%c0%ae/secret.txt",
        "/%",
    };
    for (const char* target : targets) {
        const auto a = get(target);
        EXPECT_EQ(a.status, 404) << target;
        EXPECT_EQ(a.body.find("secret\n"), std::string::npos) << target;
    }
}

TEST_F(static_files_test, a_known_file_is_not_sent_again) {
    const std::string tag = get("/app.js").field("ETag");
    ASSERT_FALSE(tag.empty());
    const auto same = get("/app.js", "If-None-Match: \"x\", " + tag + "\r\n");
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.field("ETag"), tag);
    EXPECT_EQ(same.body, "");
    EXPECT_EQ(get("/app.js", "If-None-Match: \"x\"\r\n").status, 200);
    write("web/app.js", "export const version = 2;");
    EXPECT_EQ(get("/app.js", "If-None-Match: " + tag + "\r\n").status, 200);
}

TEST_F(static_files_test, head_tells_the_length_alone) {
    client c(server_->port());
    c.send("HEAD /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\nGET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    );
    EXPECT_EQ(read_answer(c, true).field("Content-Length"), "5000000");
    EXPECT_EQ(read_answer(c).body, "export {};");
}

TEST_F(static_files_test, large_files_come_whole_and_the_connection_goes_on) {
    client c(server_->port(), 8'192);
    for (int i = 0; i < 2; ++i) {
        c.send("GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const auto a = read_answer(c);
        EXPECT_EQ(a.body.size(), 5'000'000u);
        EXPECT_EQ(a.body.find_first_not_of('b'), std::string::npos);
    }
}

TEST_F(static_files_test, a_reader_that_leaves_in_the_middle_leaves_nothing_behind) {
    {
        client c(server_->port(), 8'192);
        c.send("GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n");
        c.read_exactly(100'000);
        c.reset();
    }
    server_->wait_for("pulsewire_connections{transport=\"http\"}", 1);  // the one that asks
}

TEST_F(static_files_test, packed_siblings_are_sent_to_who_takes_them) {
    const auto brotli = get("/packed.js", "Accept-Encoding: gzip, deflate, br\r\n");
    EXPECT_EQ(brotli.body, "brotli");
    EXPECT_EQ(brotli.field("Content-Encoding"), "br");
    EXPECT_EQ(brotli.field("Content-Type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(brotli.field("Vary"), "Accept-Encoding");
    EXPECT_EQ(get("/packed.js", "Accept-Encoding: gzip\r\n").body, "gzip");
    EXPECT_EQ(get("/packed.js").body, "plain");
    EXPECT_NE(brotli.field("ETag"), get("/packed.js").field("ETag"));
    // One that is older than its file is left alone.
    fs::last_write_time(
        folder_ / "web/packed.js", fs::last_write_time(folder_ / "web/packed.js.br") + std::chrono::hours(1)
    );
    EXPECT_EQ(get("/packed.js", "Accept-Encoding: br\r\n").body, "plain");
}

TEST_F(static_files_test, other_methods_are_refused) {
    const auto a = get("/app.js", {}, "POST");
    EXPECT_EQ(a.status, 405);
    EXPECT_EQ(a.field("Allow"), "GET, HEAD");
}

TEST(no_static_files, without_a_folder_every_path_is_unknown) {
    running_server server;
    EXPECT_EQ(ask(server.port(), "GET", "/").status, 404);
    EXPECT_EQ(ask(server.port(), "GET", "/etc/passwd").status, 404);
}

}  // namespace
}  // namespace pulsewire
