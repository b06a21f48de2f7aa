#include "server/broker/nats/jetstream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pulsewire::shell::nats {
namespace {

using ::testing::HasSubstr;

const stream_wish wish{.name = "PW-0", .subject = "PW.0", .replicas = 1};

// The answer about a stream with the wished settings, but for `changed`, which replaces `from` in it.
std::string answer(const std::string& from = "", const std::string& changed = "") {
    std::string text = R"({"config":{"name":"PW-0","subjects":["PW.0"],"retention":"limits",)"
                       R"("max_msgs":-1,"max_bytes":-1,"max_age":0,"max_msgs_per_subject":-1,)"
                       R"("max_msg_size":-1,"discard":"new","storage":"file","num_replicas":1,)"
                       R"("deny_purge":false,"sealed":false},"created":"2026-11-30T11:29:57.743Z",)"
                       R"("state":{"messages":4,"first_seq":4,"last_seq":7}})";
    if (const auto at = text.find(from); !from.empty() && at != text.npos)
        text.replace(at, from.size(), changed);
    return text;
}

TEST(jetstream, tells_what_a_stream_holds) {
    const auto found = read_stream(answer(), wish);
    ASSERT_TRUE(found && *found) << (found ? "" : found.error());
    EXPECT_FALSE((*found)->is_empty);
    EXPECT_EQ((*found)->first, 4U);
    EXPECT_EQ((*found)->last, 7U);
    EXPECT_EQ((*found)->created, "2026-11-30T11:29:57.743Z");
    EXPECT_FALSE((*found)->is_clustered);
    const auto trimmed = read_stream(answer("\"messages\":4,\"first_seq\":4", "\"messages\":0"), wish);
    ASSERT_TRUE(trimmed && *trimmed);
    EXPECT_TRUE((*trimmed)->is_empty);
    EXPECT_EQ((*trimmed)->first, 8U);
    const auto clustered =
        read_stream(answer("\"state\"", R"("cluster":{"name":"C","leader":"n1"},"state")"), wish);
    ASSERT_TRUE(clustered && *clustered);
    EXPECT_TRUE((*clustered)->is_clustered);
}

TEST(jetstream, tells_that_there_is_no_stream_from_any_other_refusal) {
    const auto missing =
        read_stream(R"({"error":{"code":404,"err_code":10059,"description":"stream not found"}})", wish);
    ASSERT_TRUE(missing);
    EXPECT_FALSE(*missing);
    const std::string in_use = R"({"error":{"code":400,"err_code":10058,"description":"in use"}})";
    EXPECT_TRUE(says_stream_exists(in_use));
    const auto refused = read_stream(in_use, wish);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error(), HasSubstr("PW-0 is refused (in use)"));
    for (const std::string text : {"", "[]", "{}", "nonsense", "{\"error\":7}", "{\"config\":{}}"})
        EXPECT_FALSE(read_stream(text, wish)) << text;
}

TEST(jetstream, names_a_setting_that_would_lose_records) {
    const std::pair<std::string, std::string> wrong[] = {
        {"[\"PW.0\"]", "[\"PW.0\",\"PW.1\"]"},
        {"\"limits\"", "\"interest\""},
        {"\"file\"", "\"memory\""},
        {"\"max_age\":0", "\"max_age\":5000"},
        {"\"max_msg_size\":-1", "\"max_msg_size\":1000"},
        {"\"deny_purge\":false", "\"deny_purge\":true"},
        {"\"sealed\":false", "\"sealed\":true"},
    };
    for (const auto& [from, changed] : wrong) {
        const auto found = read_stream(answer(from, changed), wish);
        ASSERT_FALSE(found) << changed;
        EXPECT_THAT(found.error(), HasSubstr(" must ")) << changed;
    }
    const auto limited =
        read_stream(answer("\"max_bytes\":-1", "\"discard\":\"old\",\"max_bytes\":9000"), wish);
    EXPECT_TRUE(limited) << "the later member counts: discard is new";
    const auto old = read_stream(
        answer(
            "\"max_bytes\":-1,\"max_age\":0,\"max_msgs_per_subject\":-1,\"max_msg_size\":-1,\"discard\":"
            "\"new\"",
            "\"max_bytes\":9000,\"discard\":\"old\""
        ),
        wish
    );
    ASSERT_FALSE(old);
    EXPECT_THAT(old.error(), HasSubstr("discard policy must be new"));
    stream_wish three = wish;
    three.replicas = 3;
    const auto few = read_stream(answer(), three);
    ASSERT_FALSE(few);
    EXPECT_THAT(few.error(), HasSubstr("3 replicas"));
}

TEST(jetstream, what_is_made_is_what_is_wished) {
    std::string made = create_stream_request(wish);
    made = R"({"config":)" + made + R"(,"state":{"messages":0,"last_seq":0},"created":"x"})";
    const auto found = read_stream(made, wish);
    EXPECT_TRUE(found) << (found ? "" : found.error());
}

TEST(jetstream, tells_where_a_record_was_put_or_why_not) {
    const auto put = read_appended(R"({"stream":"PW-0", "seq":5})");
    ASSERT_TRUE(put);
    EXPECT_EQ(*put, 5U);
    const auto refused = read_appended(R"({"error":{"code":503,"description":"no space"},"seq":0})");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), "no space");
    EXPECT_FALSE(read_appended("{\"seq\":0}"));
    EXPECT_FALSE(read_appended("?"));
}

TEST(jetstream, tells_the_place_of_a_record) {
    const auto found = place_of("$JS.ACK.PW-0.c1.1.42.7.1796038197745260675.3");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->consumer, "c1");
    EXPECT_EQ(found->sequence, 42U);
    const auto with_domain = place_of("$JS.ACK.hub.ACCOUNT.PW-0.c1.1.42.7.1796038197745260675.3.x");
    ASSERT_TRUE(with_domain);
    EXPECT_EQ(with_domain->consumer, "c1");
    EXPECT_EQ(with_domain->sequence, 42U);
    for (const std::string text :
         {"", "$JS.ACK", "$JS.ACK.a.b.1.2", "$JS.ACK.PW-0.c1.1.x.7.1.3", "$JS.ACK.PW-0.c1.1.0.7.1.3",
          "_INBOX.x"})
        EXPECT_FALSE(place_of(text)) << text;
}

}  // namespace
}  // namespace pulsewire::shell::nats
