// Payloads that do not fit the schema of their type (docs/schemas.md).

#include "common/hub/test_node.hpp"
#include "common/schema/types.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

using client = test_node::client;
using texts = std::vector<std::string>;

std::shared_ptr<const schema::types> schemas() {
    constexpr std::string_view line =
        R"({"type":"object","properties":{"text":{"type":"string"}},"required":["text"]})";
    constexpr std::string_view text = R"({"type":"string","maxLength":5})";
    auto types = std::make_shared<schema::types>();
    types->add("chat.message", {*schema::checker::compile(line), std::string(line), {}});
    types->add("message", {*schema::checker::compile(text), std::string(text), {}});
    return types;
}

config settings() {
    config c;
    c.namespaces["chat"].types = schemas();
    c.namespaces["strict"].types = schemas();
    c.namespaces["strict"].other_types = false;
    return c;
}

// Ada publishes, Bob is subscribed on another shard.
class hub_schema : public ::testing::Test {
protected:
    explicit hub_schema(config c = settings()) : node(3, std::move(c)) {
        for (const char* channel : {"chat:1", "strict:1", "other:1"})
            node.say(bob, R"({"op":"subscribe","id":1,"channel":")" + std::string(channel) + "\"}");
        node.heard(bob);
    }
    void publish(const std::string& channel, const std::string& type, const std::string& payload) {
        node.say(
            ada, R"({"op":"publish","id":7,"channel":")" + channel + R"(","type":")" + type +
                     R"(","payload":)" + payload + "}"
        );
    }
    // The code that the publisher got, or its line where that is no error.
    std::string answer(client who) {
        const texts heard = node.heard(who);
        return heard.size() == 1 ? member_of(heard[0], "code") + member_of(heard[0], "op")
                                 : std::to_string(heard.size()) + " lines";
    }

    test_node node;
    client ada = node.connect(0, "ada-session"), bob = node.connect(1, "bob-session");
};

TEST_F(hub_schema, a_payload_that_fits_goes_to_subscribers) {
    publish("chat:1", "chat.message", R"({"text":"hi"})");
    EXPECT_EQ(members_of(node.heard(bob), "payload"), texts{R"({"text":"hi"})"});
}

TEST_F(hub_schema, one_that_does_not_fit_is_answered_with_its_place_and_reaches_nobody) {
    publish("chat:1", "chat.message", R"({"text":7,"secret":"x"})");
    const texts heard = node.heard(ada);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(member_of(heard[0], "code"), "invalid_payload");
    EXPECT_EQ(member_of(heard[0], "id"), "7");
    EXPECT_EQ(member_of(heard[0], "pointer"), "/text");
    EXPECT_EQ(member_of(heard[0], "message"), "chat.message: /text: expected string, found number");
    EXPECT_EQ(node.heard(bob), texts{});
}

TEST_F(hub_schema, a_refused_publish_makes_no_channel) {
    const std::size_t before = node.channel_count();
    publish("chat:new", "chat.message", "[]");
    EXPECT_EQ(answer(ada), "invalid_payloaderror");
    EXPECT_EQ(node.channel_count(), before);
}

TEST_F(hub_schema, a_type_without_a_schema_passes_unless_types_must_be_declared) {
    publish("chat:1", "chat.other", "1");
    EXPECT_EQ(members_of(node.heard(bob), "payload"), texts{"1"});
    node.heard(ada);
    publish("strict:1", "chat.other", "1");
    EXPECT_EQ(answer(ada), "forbiddenerror");
    publish("strict:1", "chat.message", R"({"text":"hi"})");
    EXPECT_EQ(members_of(node.heard(bob), "payload"), texts{R"({"text":"hi"})"});
    publish("other:1", "chat.message", "1");
    EXPECT_EQ(members_of(node.heard(bob), "payload"), texts{"1"});
}

TEST_F(hub_schema, a_channel_belongs_to_the_namespace_before_its_first_colon) {
    publish("chat:1:chat:2", "chat.message", "1");
    EXPECT_EQ(answer(ada), "invalid_payloaderror");
    publish("chat", "chat.message", "1");
    EXPECT_NE(answer(ada), "invalid_payloaderror");
}

TEST_F(hub_schema, raw_text_is_a_string_of_the_type_message) {
    const client raw = node.open(0, face::plain_websocket, {}, "raw-session");
    command c;
    c.op = command_op::publish;
    c.channel = "chat:1";
    c.type = "message";
    for (const char* payload : {R"("short")", R"("longer")"}) {
        c.payload = payload;
        node.at(0).execute(raw.connection, c, node.now());
        node.carry_out(0);
    }
    EXPECT_EQ(members_of(node.heard(bob), "payload"), texts{R"("short")"});
    EXPECT_EQ(answer(raw), "invalid_payloaderror");
}

TEST_F(hub_schema, the_http_api_is_checked_too) {
    const client api = node.open(0, face::api, {}, "api-session");
    command c;
    c.op = command_op::publish;
    c.id = 1;
    c.channel = "chat:1";
    c.type = "chat.message";
    c.payload = "null";
    node.at(0).execute(api.connection, c, node.now());
    node.carry_out(0);
    EXPECT_EQ(answer(api), "invalid_payloaderror");
    EXPECT_EQ(node.heard(bob), texts{});
}

// A program that wants all publishes of clients, as one with handlers does.
class observed_hub_schema : public hub_schema {
protected:
    observed_hub_schema() : hub_schema(observed()) { node.told(); }
    static config observed() {
        config c = settings();
        c.observers.push_back({});
        c.observers.back().publishes = true;
        return c;
    }
    // Whether each publish of which the observer was told must have a handler.
    std::vector<bool> declared_only() {
        std::vector<bool> found;
        for (const to_observer& one : node.told())
            if (const auto* p = std::get_if<client_publish>(&one)) found.push_back(p->declared_only);
        return found;
    }
};

TEST_F(observed_hub_schema, an_observer_gets_only_what_fits) {
    publish("chat:1", "chat.message", "1");
    EXPECT_EQ(answer(ada), "invalid_payloaderror");
    EXPECT_EQ(declared_only(), std::vector<bool>{});
    publish("chat:1", "chat.message", R"({"text":"hi"})");
    EXPECT_EQ(declared_only(), std::vector<bool>{false});
}

TEST_F(observed_hub_schema, a_type_with_a_schema_needs_no_handler) {
    publish("strict:1", "chat.message", R"({"text":"hi"})");
    publish("strict:1", "chat.other", "1");
    EXPECT_EQ(declared_only(), (std::vector<bool>{false, true}));
}

}  // namespace
}  // namespace pulsewire::hub
