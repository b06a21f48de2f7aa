#include "server/endpoint/lost_page.hpp"

#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>

namespace pulsewire {
namespace {

using namespace testing;

const std::string browser =
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";

http_answer visit(
    const running_server& server, const std::string& target, const std::string& fields = browser
) {
    return ask(server.port(), "GET", target, {}, fields);
}

TEST(lost_page, a_person_who_finds_nothing_is_told_what_this_is_and_which_paths_exist) {
    running_server server(test_config(1));
    for (const char* target : {"/", "/nothing", "/index.html", "/api/", "/api/channels/a/members"}) {
        const http_answer a = visit(server, target);
        EXPECT_EQ(a.status, 404) << target;
        EXPECT_EQ(a.field("Content-Type"), "text/html; charset=utf-8") << target;
        for (const char* said : {"Pulsewire server", "/ws", "/events", "/api/channels/", "/healthz", "docs/"})
            EXPECT_NE(a.body.find(said), std::string::npos) << target << " " << said;
    }
}

TEST(lost_page, programs_and_scripts_keep_the_json) {
    running_server server(test_config(1));
    for (const std::string& fields : std::vector<std::string>{
             "", "Accept: */*\r\n", "Accept: application/json\r\n", "Accept: text/event-stream\r\n",
             "Accept: text/html, */*\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\n"}) {
        const http_answer a = visit(server, "/nothing", fields);
        EXPECT_EQ(a.status, 404) << fields;
        EXPECT_EQ(a.field("Content-Type"), "application/json") << fields;
        EXPECT_NE(a.body.find("\"not_found\""), std::string::npos) << fields;
        EXPECT_NE(a.field("Vary").find("Accept"), std::string::npos) << "a cache must not mix them up";
    }
    const http_answer posted = ask(server.port(), "POST", "/nothing", "{}", browser);
    EXPECT_EQ(posted.field("Content-Type"), "application/json");
}

// An older browser says no Sec-Fetch-Mode.
TEST(lost_page, what_a_browser_accepts_is_enough) {
    running_server server(test_config(1));
    EXPECT_EQ(
        visit(server, "/", "Accept: text/html,*/*;q=0.8\r\n").field("Content-Type"),
        "text/html; charset=utf-8"
    );
}

TEST(lost_page, other_answers_stay_as_they_are) {
    running_server server(test_config(1));
    EXPECT_EQ(visit(server, "/healthz").body, "ok\n");
    const http_answer streams = visit(server, "/events");
    EXPECT_EQ(streams.status, 400);
    EXPECT_EQ(streams.field("Content-Type"), "application/json");
}

TEST(lost_page, nothing_of_it_can_run_and_only_its_own_style_takes_effect) {
    running_server server(test_config(1));
    const http_answer a = visit(server, "/<script>alert(1)</script>?<b>");
    EXPECT_EQ(a.body.find("alert"), std::string::npos) << "no text of the request";
    EXPECT_EQ(a.body.find("<script"), std::string::npos);
    const std::string policy = a.field("Content-Security-Policy");
    EXPECT_EQ(policy.find("default-src 'none'; style-src 'sha256-"), 0u) << policy;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;

    const std::size_t begin = a.body.find("<style>") + 7;
    const std::string style = a.body.substr(begin, a.body.find("</style>") - begin);
    unsigned char digest[32], text[45];
    ASSERT_EQ(EVP_Digest(style.data(), style.size(), digest, nullptr, EVP_sha256(), nullptr), 1);
    EVP_EncodeBlock(text, digest, sizeof digest);
    EXPECT_NE(
        policy.find("'sha256-" + std::string(reinterpret_cast<const char*>(text)) + "'"), std::string::npos
    ) << policy;
    EXPECT_NE(style.find("color-scheme:light dark"), std::string::npos);
}

TEST(lost_page, where_there_are_pages_it_shows_the_way_to_them) {
    const temporary_folder root;
    config c = test_config(1);
    c.web_root = root.path();
    c.base_path = "/chat";
    running_server server(c);
    for (const char* target : {"/chat/nothing", "/elsewhere"}) {
        const http_answer a = visit(server, target);
        EXPECT_EQ(a.status, 404) << target;
        EXPECT_NE(a.body.find("<a href=\"/chat/\">"), std::string::npos) << a.body;
        EXPECT_EQ(a.body.find("/healthz"), std::string::npos);
    }
}

TEST(lost_page, head_has_the_fields_and_no_body) {
    running_server server(test_config(1));
    const http_answer a = ask(server.port(), "HEAD", "/", {}, browser);
    EXPECT_EQ(a.status, 404);
    EXPECT_EQ(a.field("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(a.body, "");
}

}  // namespace
}  // namespace pulsewire
