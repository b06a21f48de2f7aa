// Payloads of bytes through the hub (protocol 2.5).

#include "common/base/base64.hpp"
#include "common/exchange/message_text.hpp"
#include "common/hub/test_node.hpp"
#include "common/schema/types.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace pulsewire::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using lines = test_node::lines;
using namespace std::string_literals;

const std::string bytes = "\x00\n\xff{"s;
const std::string in_base64 = "AAr/ew==";

std::string publish_line(int id, const std::string& more = {}) {
    return R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":"room","type":"file.part")" +
           more + R"(,"bytes":4})" + "\n" + bytes;
}

class hub_bytes_test : public ::testing::Test {
protected:
    hub_bytes_test() {
        node_.say(ada_, R"({"op":"subscribe","channel":"room"})");
        node_.heard(ada_);
    }
    std::size_t say_binary(const std::string& message) {
        const std::size_t done =
            node_.at(0).receive(ada_.connection, message, node_.now(), hub::no_limit, message_form::binary);
        node_.carry_out(0);
        return done;
    }

    test_node node_{1, {}, 1};
    test_node::client ada_ = node_.connect(0, "ada-session");
};

TEST_F(hub_bytes_test, each_line_of_a_binary_message_is_carried_out_with_its_own_bytes) {
    const std::string message = publish_line(1) + R"({"op":"ping","id":2})" + "\n" + publish_line(3);
    EXPECT_EQ(say_binary(message), message.size());
    const lines heard = node_.heard(ada_);
    const std::string payload = ",\"bytes\":4}\n" + bytes;
    ASSERT_EQ(heard.size(), 5u);
    EXPECT_THAT(heard[0] + heard[1], HasSubstr(payload));
    EXPECT_THAT(heard[0] + heard[1], HasSubstr(R"({"op":"published","id":1)"));
    EXPECT_EQ(heard[2], R"({"op":"pong","id":2})");
    EXPECT_THAT(heard[3] + heard[4], HasSubstr(payload));
    EXPECT_THAT(heard[3] + heard[4], HasSubstr(R"("offset":2)"));
}

TEST_F(hub_bytes_test, a_message_that_is_cut_short_is_an_error_of_its_last_line) {
    const std::string message =
        publish_line(1) + R"({"op":"publish","id":2,"channel":"room","type":"t","bytes":9})" + "\nshort";
    EXPECT_EQ(say_binary(message), message.size());
    const lines heard = node_.heard(ada_);
    EXPECT_THAT(heard.back(), HasSubstr(R"("error","id":2,"code":"invalid_frame")"));
}

TEST_F(hub_bytes_test, lines_of_a_payload_that_is_not_counted_are_no_commands) {
    const std::string message = R"({"op":"publish","id":1,"channel":"room","type":"t","bytes": 50})"
                                "\n"
                                R"({"op":"publish","id":2,"channel":"room","type":"t","payload":1})";
    EXPECT_EQ(say_binary(message), message.size());
    EXPECT_THAT(node_.heard(ada_), ElementsAre(HasSubstr(R"("id":1,"code":"invalid_frame")")));
    say_binary(
        publish_line(3) + R"({"op":"subscribe","id":4,"channel":"c","bytes":1})" + "\nx" + publish_line(5)
    );
    const lines heard = node_.heard(ada_);
    EXPECT_THAT(heard, ::testing::Contains(HasSubstr(R"("id":4,"code":"invalid_frame")")));
    EXPECT_THAT(heard, ::testing::Contains(HasSubstr(R"("published","id":5)")))
        << "what is counted is passed over";
}

TEST_F(hub_bytes_test, a_text_message_ends_each_frame_at_its_line) {
    node_.say(ada_, publish_line(1));
    EXPECT_THAT(node_.heard(ada_)[0], HasSubstr(R"("id":1,"code":"invalid_frame")"));
}

TEST_F(hub_bytes_test, history_has_them_as_base64) {
    say_binary(publish_line(1));
    node_.heard(ada_);
    node_.say(ada_, R"({"op":"history","id":2,"channel":"room"})");
    const lines heard = node_.heard(ada_);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_THAT(heard[0], HasSubstr(R"(,"binary":true,"payload":")" + in_base64 + R"("}]})"));
    EXPECT_THAT(heard[0], HasSubstr(R"("payload":[{"type":"file.part","channel":"room","offset":1,"time":)"));
}

TEST_F(hub_bytes_test, a_key_stands_for_bytes_and_not_for_the_json_that_looks_alike) {
    const std::string key = R"(,"key":"k-0123456789abcdef")";
    const std::string digits = R"({"op":"publish","id":1,"channel":"room","type":"file.part")" + key;
    EXPECT_EQ(say_binary(digits + ",\"bytes\":2}\n12"), digits.size() + 14);
    EXPECT_THAT(node_.heard(ada_), ::testing::Contains(HasSubstr(R"("offset":1)")));
    node_.say(ada_, digits + ",\"payload\":12}");
    EXPECT_THAT(node_.heard(ada_), ElementsAre(HasSubstr("key_reused")));
    node_.say(ada_, digits + R"(,"binary":true,"payload":"MTI="})");
    EXPECT_THAT(node_.heard(ada_), ElementsAre(HasSubstr(R"("published","id":1,"channel":"room","epoch")")));
}

// Base64 is a third longer; what counts is what it means.
TEST_F(hub_bytes_test, the_limit_is_that_of_the_decoded_bytes) {
    const std::size_t max = config().bounds.message_bytes_max;
    const auto line = [](std::size_t size) {
        return R"({"op":"publish","id":1,"channel":"room","type":"t","binary":true,"payload":")" +
               to_base64(std::string(size, 'x')) + "\"}";
    };
    node_.say(ada_, line(max - 200));
    EXPECT_THAT(node_.heard(ada_), ::testing::Contains(HasSubstr("\"published\"")));
    node_.say(ada_, line(max));
    EXPECT_THAT(node_.heard(ada_), ElementsAre(HasSubstr(R"("id":1,"code":"too_large")")));
    node_.say(
        ada_,
        R"({"op":"publish","id":2,"channel":"room","type":"t","payload":")" + std::string(max, 'x') + "\"}"
    );
    EXPECT_THAT(node_.heard(ada_), ElementsAre(HasSubstr(R"("id":2,"code":"too_large")")));
}

TEST(hub_bytes, clients_ask_and_answer_each_other_in_bytes) {
    config c;
    c.default_namespace.client_requests = true;
    test_node node(2, c);
    const auto ada = node.connect(0, "ada-session"), bob = node.connect(1, "bob-session");
    const auto say = [&](const test_node::client& who, const std::string& message) {
        node.at(who.shard).receive(who.connection, message, node.now(), hub::no_limit, message_form::binary);
        node.carry_out(who.shard);
    };
    node.say(ada, R"({"op":"subscribe","channel":"room"})");
    node.say(bob, R"({"op":"subscribe","channel":"room","payload":"here"})");
    node.heard(ada);
    node.heard(bob);
    say(ada, R"({"op":"request","id":7,"channel":"room","to":")" + bob_name + R"(","type":"t","bytes":4})" +
                 "\n" + bytes);
    const lines asked = node.heard(bob);
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_THAT(
        asked[0], HasSubstr(
                      R"("timeout_ms":10000,"bytes":4})"
                      "\n" +
                      bytes
                  )
    );
    say(bob, R"({"op":"respond","request":1,"bytes":4})"
             "\n" +
                 bytes);
    EXPECT_THAT(
        node.heard(ada), ElementsAre(
                             R"({"op":"response","id":7,"bytes":4})"
                             "\n" +
                             bytes
                         )
    );
}

TEST(hub_bytes, a_schema_takes_the_kind_that_it_is_for) {
    schema::types types;
    types.add("file.part", schema::types::bytes());
    types.add("chat.message", {*schema::checker::compile(R"({"type":"object"})"), "{}", {}, false});
    EXPECT_EQ(types.check("file.part", bytes, true), std::nullopt);
    EXPECT_EQ(types.check("chat.message", "{}"), std::nullopt);
    EXPECT_EQ(types.check("other", bytes, true), std::nullopt);
    EXPECT_EQ(types.check("file.part", "{}")->message(), "file.part: expected bytes, found JSON");
    EXPECT_EQ(types.check("chat.message", "{}", true)->message(), "chat.message: expected JSON, found bytes");
}

}  // namespace
}  // namespace pulsewire::hub
