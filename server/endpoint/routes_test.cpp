#include "server/endpoint/routes.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace pulsewire::shell {
namespace {

config served_by() {
    config c;
    c.web_root = "/srv/www";
    c.api_key = "the-key";
    c.allowed_origins = {"https://friend.example"};
    return c;
}

const std::string keyed = "Authorization: Bearer the-key\r\n";

route routed(const std::string& line, const std::string& fields = {}, const config& c = served_by()) {
    const auto r = read_request_head(line + " HTTP/1.1\r\nHost: own.example\r\n" + fields + "\r\n", c.shell);
    return find_route(**r, c, api_keys(c), reached::somehow);
}

std::optional<endpoint> end_of(const std::string& line, const std::string& fields = {}) {
    const route found = routed(line, fields);
    return found.end ? std::optional(found.end->to) : std::nullopt;
}

int status_of(const std::string& line, const std::string& fields = {}, const config& c = served_by()) {
    const route found = routed(line, fields, c);
    return found.end ? 0 : found.end.error().status;
}

TEST(routes, every_path_has_its_endpoint) {
    EXPECT_EQ(end_of("GET /ws"), endpoint::websocket);
    EXPECT_EQ(end_of("GET /ws/plain/a"), endpoint::plain_websocket);
    EXPECT_EQ(end_of("GET /sse?x"), endpoint::open_stream);
    EXPECT_EQ(end_of("POST /sse"), endpoint::post_to_stream);
    EXPECT_EQ(end_of("GET /events?channel=a"), endpoint::events);
    EXPECT_EQ(end_of("GET /api/channels/a/messages", keyed), endpoint::history);
    EXPECT_EQ(end_of("POST /api/channels/a/messages", keyed), endpoint::publish);
    EXPECT_EQ(end_of("GET /api/channels/a/presence", keyed), endpoint::presence);
    EXPECT_EQ(end_of("HEAD /healthz"), endpoint::health);
    EXPECT_EQ(end_of("GET /metrics", keyed), endpoint::metrics);
    EXPECT_EQ(end_of("GET /anything/else"), endpoint::file);
}

TEST(routes, the_channel_is_what_stands_between_and_decoded) {
    EXPECT_EQ(routed("GET /api/channels/a%3Ab/messages", keyed).end->channel, "a:b");
    EXPECT_EQ(routed("GET /api/channels/a/messages/messages", keyed).end->channel, "a/messages");
    EXPECT_EQ(routed("GET /ws/plain/a%3Ab").end->channel, "a%3Ab");
}

TEST(routes, what_is_no_channel_is_refused) {
    EXPECT_EQ(status_of("GET /api/channels//messages", keyed), 400);
    EXPECT_EQ(status_of("GET /api/channels/a%20b/messages", keyed), 400);
    EXPECT_EQ(status_of("GET /api/channels/a%/messages", keyed), 400);
}

TEST(routes, what_the_api_does_not_have_is_not_found) {
    EXPECT_EQ(status_of("GET /api/", keyed), 404);
    EXPECT_EQ(status_of("GET /api/channels/messages", keyed), 404);
    EXPECT_EQ(status_of("GET /api/channels/a/members", keyed), 404);
}

TEST(routes, without_a_folder_there_are_no_files) {
    EXPECT_EQ(status_of("GET /index.html", {}, config{}), 404);
}

TEST(routes, wrong_methods_are_told_the_right_ones) {
    const auto allowed = [](const std::string& line) {
        const route refused = routed(line, keyed);
        for (const auto& [name, value] : refused.end.error().fields)
            if (name == "Allow") return value;
        return std::string();
    };
    EXPECT_EQ(allowed("POST /ws"), "GET, OPTIONS");
    EXPECT_EQ(allowed("DELETE /api/channels/a/messages"), "GET, POST, OPTIONS");
    EXPECT_EQ(allowed("POST /healthz"), "GET, HEAD");
    EXPECT_EQ(allowed("HEAD /metrics"), "GET");
    EXPECT_EQ(allowed("POST /index.html"), "GET, HEAD");
}

TEST(routes, the_api_wants_its_key) {
    EXPECT_EQ(status_of("GET /api/channels/a/messages"), 401);
    EXPECT_EQ(status_of("POST /api/channels/a/messages", "Authorization: Bearer other\r\n"), 401);
    EXPECT_EQ(status_of("GET /api/channels/a/messages", {}, config{}), 0);
}

TEST(routes, metrics_want_the_key_where_there_is_one) {
    EXPECT_EQ(status_of("GET /metrics"), 401);
    EXPECT_EQ(status_of("GET /metrics", "Authorization: Bearer other\r\n"), 401);
    EXPECT_EQ(status_of("GET /metrics", {}, config{}), 0);
}

TEST(routes, the_name_of_the_key_that_let_a_request_in_is_known) {
    EXPECT_EQ(routed("GET /api/channels/a/messages", keyed).end->key, "api_key");
    EXPECT_EQ(routed("GET /metrics", keyed).end->key, "api_key");
    EXPECT_EQ(routed("GET /api/channels/a/messages", {}, config{}).end->key, "");
}

TEST(routes, images_of_other_sites_open_no_stream_and_read_nothing) {
    const std::string image = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n" + keyed;
    for (const char* line :
         {"GET /ws", "GET /ws/plain/a", "GET /sse", "GET /events?channel=a", "POST /sse",
          "GET /api/channels/a/messages", "GET /api/channels/a/presence", "GET /metrics"})
        EXPECT_EQ(status_of(line, image), 403) << line;
    EXPECT_EQ(status_of("GET /index.html", image), 0) << "a link to a page is no request forgery";
    EXPECT_EQ(status_of("GET /healthz", image), 0);
}

TEST(routes, pages_of_strangers_are_refused_before_anything_is_said_of_the_key) {
    const std::string stranger = "Origin: https://stranger.example\r\n";
    for (const char* line :
         {"GET /ws", "GET /ws/plain/a", "GET /sse", "GET /events", "GET /api/channels/a/messages"}) {
        EXPECT_EQ(status_of(line, stranger), 403) << line;
        EXPECT_EQ(routed(line, stranger).origin.cross_origin, "") << line;
    }
}

TEST(routes, pages_of_friends_may_read_every_answer) {
    const std::string friendly = "Origin: https://friend.example\r\n";
    EXPECT_EQ(routed("GET /ws", friendly).origin.cross_origin, "https://friend.example");
    const route refused = routed("GET /api/channels/a/messages", friendly);
    EXPECT_EQ(refused.end.error().status, 401);
    EXPECT_EQ(refused.origin.cross_origin, "https://friend.example");
    EXPECT_EQ(status_of("OPTIONS /api/channels/a/messages", friendly), 204);
}

}  // namespace
}  // namespace pulsewire::shell
