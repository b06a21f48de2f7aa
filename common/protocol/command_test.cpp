#include "common/protocol/command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire {
namespace {

using texts = std::vector<std::string>;

// The views of what is read point into `scratch` and into the line, which the caller keeps.
command read(const std::string& line, std::string& scratch) {
    const auto read = read_command(line, scratch);
    if (read) return *read;
    ADD_FAILURE() << line << " is refused: " << read.error().message;
    return {};
}

// "code id message", which is all that an error has.
std::string refusal_of(const std::string& line) {
    std::string scratch;
    const auto read = read_command(line, scratch);
    if (read) return "none";
    return std::string(name_of(read.error().code)) + " " + std::to_string(read.error().id) + " " +
           read.error().message;
}

std::string body_refusal_of(const std::string& body) {
    std::string scratch;
    const auto read = read_publish_body(body, scratch);
    if (read) return "none";
    return std::string(name_of(read.error().code)) + " " + read.error().message;
}

// --- operations and members ---

TEST(command, reads_connect) {  // 4.1
    std::string scratch;
    const std::string line =
        R"({"op":"connect","id":1,"version":1,"session":"Zk3f9aQx1mPw","client":"pulsewire-js/0.1.0"})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.op, command_op::connect);
    EXPECT_EQ(c.id, 1u);
    EXPECT_EQ(c.version, 1u);
    EXPECT_EQ(c.session, "Zk3f9aQx1mPw");
    EXPECT_EQ(c.client, "pulsewire-js/0.1.0");
}

TEST(command, leaves_the_rules_for_sessions_to_the_hub_which_closes_the_connection) {  // 4.1
    std::string scratch;
    const std::string line = R"({"op":"connect","session":"no way"})";
    EXPECT_EQ(read(line, scratch).session, "no way");
}

TEST(command, reads_subscribe_with_position_and_presence) {  // 4.3 to 4.6
    std::string scratch;
    const std::string line =
        R"({"op":"subscribe","id":4,"channel":"chat:42","epoch":"x7Qa","offset":0,"latest":5,"presence":true,"payload":{"name":"Ada"}})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.op, command_op::subscribe);
    EXPECT_EQ(c.channel, "chat:42");
    EXPECT_EQ(c.epoch, "x7Qa");
    EXPECT_TRUE(c.has_offset);
    EXPECT_EQ(c.offset, 0u);
    EXPECT_EQ(c.latest, 5u);
    EXPECT_TRUE(c.presence);
    EXPECT_EQ(c.payload, R"({"name":"Ada"})");
}

TEST(command, reads_publish) {  // 4.9 to 4.11
    std::string scratch;
    const std::string line =
        R"({"op":"publish","id":6,"key":"Zk3f-6.a:b","channel":"chat:42","type":"chat.message","echo":false,"transient":true,"payload":[1, 2]})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.op, command_op::publish);
    EXPECT_EQ(c.id, 6u);
    EXPECT_EQ(c.key, "Zk3f-6.a:b");
    EXPECT_EQ(c.type, "chat.message");
    EXPECT_FALSE(c.echo);
    EXPECT_TRUE(c.transient);
    EXPECT_EQ(c.payload, "[1, 2]");
    EXPECT_GE(c.payload.data(), line.data()) << "the payload is a slice of the line";
    EXPECT_LT(c.payload.data(), line.data() + line.size());
}

TEST(command, reads_a_snapshot_and_who_begins_with_it) {  // 4.29, 4.30
    std::string scratch;
    const command whole = read(
        R"({"op":"publish","channel":"a","type":"t","snapshot":{"covers":412,"later":[1]},"payload":1})",
        scratch
    );
    EXPECT_EQ(whole.snapshot.covers, 412u);
    EXPECT_EQ(whole.snapshot.parts, 1u);
    const command part = read(
        R"({"snapshot":{"parts":3,"part":2,"id":"k\u0033","covers":9},"op":"publish","channel":"a","type":"t","payload":1})",
        scratch
    );
    EXPECT_EQ(part.snapshot.covers, 9u);
    EXPECT_EQ(part.snapshot.part, 2u);
    EXPECT_EQ(part.snapshot.parts, 3u);
    EXPECT_EQ(part.snapshot.id, "k3");
    EXPECT_EQ(part.snapshot.epoch, "");
    const std::string of_a_log =
        R"({"op":"publish","channel":"a","type":"t","snapshot":{"epoch":"x7Qa","covers":9},"payload":1})";
    const command named = read(of_a_log, scratch);
    EXPECT_EQ(named.snapshot.epoch, "x7Qa");
    const std::string condition =
        R"({"op":"publish","channel":"a","type":"t","if_offset":0,"epoch":"x7Qa","payload":1})";
    const command conditional = read(condition, scratch);
    EXPECT_TRUE(conditional.has_if_offset);
    EXPECT_EQ(conditional.if_offset, 0u);
    EXPECT_EQ(conditional.epoch, "x7Qa");
    EXPECT_FALSE(named.has_if_offset);
    EXPECT_TRUE(read(R"({"op":"subscribe","channel":"a","state":true})", scratch).state);
    EXPECT_FALSE(read(R"({"op":"subscribe","channel":"a"})", scratch).state);
}

TEST(command, reads_request_and_cancel) {  // 4.12, 4.13
    std::string scratch;
    const std::string asked =
        R"({"op":"request","id":7,"type":"sum.add","timeout_ms":5000,"payload":{"a":1,"b":2}})";
    const command request = read(asked, scratch);
    EXPECT_EQ(request.op, command_op::request);
    EXPECT_EQ(request.timeout_ms, 5000u);
    EXPECT_EQ(request.type, "sum.add");
    const std::string withdrawn = R"({"op":"cancel","id":7})";
    EXPECT_EQ(read(withdrawn, scratch).op, command_op::cancel);
}

TEST(command, reads_history) {  // 4.14
    std::string scratch;
    const std::string line =
        R"({"op":"history","id":8,"channel":"chat:42","limit":50,"offset":9,"backwards":true})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.op, command_op::history);
    EXPECT_EQ(c.limit, 50u);
    EXPECT_TRUE(c.has_offset);
    EXPECT_EQ(c.offset, 9u);
    EXPECT_TRUE(c.backwards);
}

TEST(command, reads_the_short_ones) {  // 4.8, 4.15, 4.16
    std::string scratch;
    for (const auto& [line, op] : std::vector<std::pair<std::string, command_op>>{
             {R"({"op":"unsubscribe","channel":"a"})", command_op::unsubscribe},
             {R"({"op":"presence","id":9,"channel":"a"})", command_op::presence},
             {R"({"op":"ping"})", command_op::ping},
             {R"({"op":"pong"})", command_op::pong}})
        EXPECT_EQ(read(line, scratch).op, op) << line;
}

TEST(command, leaves_what_is_not_there_at_its_default) {
    std::string scratch = "old content";
    const std::string line = R"({"op":"ping"})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.id, 0u);
    EXPECT_FALSE(c.has_offset);
    EXPECT_TRUE(c.echo);
    EXPECT_FALSE(c.transient || c.presence || c.backwards);
    EXPECT_EQ(c.limit + c.timeout_ms + c.latest + c.version, 0u);
    EXPECT_TRUE(c.payload.empty() && c.channel.empty() && c.key.empty());
}

TEST(command, reads_members_in_any_order_and_with_any_white_space) {  // 3.3
    texts members = {
        R"("op":"publish")", R"("id" : 6)", R"("channel":"a")", R"("type":"t" )", R"("payload": {"x" : 1})"};
    std::sort(members.begin(), members.end());
    do {
        std::string line = "\t{ ";
        for (const std::string& m : members) line += (line.size() > 3 ? "\r, " : "") + m;
        line += " } ";
        std::string scratch;
        const command c = read(line, scratch);
        ASSERT_EQ(c.id, 6u) << line;
        ASSERT_EQ(c.channel, "a") << line;
        ASSERT_EQ(c.payload, R"({"x" : 1})") << line;
    } while (std::next_permutation(members.begin(), members.end()));
}

TEST(command, ignores_unknown_members_of_any_kind) {  // 3.3
    std::string scratch;
    const std::string line =
        R"({"x":null,"op":"ping","y":{"op":"pong","id":9},"id":3,"z":[1,"]"],"":0,"Id":4,"\u0069d":5})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.op, command_op::ping);
    EXPECT_EQ(c.id, 3u) << "a member's name that is written with escapes is an unknown one (3.1)";
}

TEST(command, takes_the_last_of_a_member_that_stands_twice) {  // 3.3
    std::string scratch;
    const std::string line =
        R"({"op":"ping","op":"publish","id":1,"id":2,"channel":"\u0061","channel":"b\/c","type":"t","payload":1,"payload":[2],"echo":false,"echo":true})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.op, command_op::publish);
    EXPECT_EQ(c.id, 2u);
    EXPECT_EQ(c.channel, "b/c");
    EXPECT_EQ(c.payload, "[2]");
    EXPECT_TRUE(c.echo);
    EXPECT_EQ(
        refusal_of(R"({"op":"ping","id":"x","id":2})"),
        R"(invalid_frame 2 "id" must be an integer from 1 to 2^53-1)"
    ) << "each of them must be valid";
}

TEST(command, decodes_escapes_in_names) {
    std::string scratch;
    const std::string line =
        R"({"op":"pub\u006Cish","id":6,"channel":"a\/b\u003ac","type":"\u0074\/x","key":"\u006b","payload":"\u0061\/"})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.op, command_op::publish);
    EXPECT_EQ(c.channel, "a/b:c");
    EXPECT_EQ(c.type, "t/x");
    EXPECT_EQ(c.key, "k");
    EXPECT_EQ(c.payload, R"("\u0061\/")") << "payloads are passed on as they came";
}

TEST(command, keeps_views_valid_however_much_has_to_be_decoded) {
    std::string escaped, plain;
    for (int i = 0; i < 60; ++i) {
        escaped += "\\u0061";
        plain += 'a';
    }
    for (int i = 0; i < 3; ++i) {
        std::string scratch;  // without any room
        const std::string line = R"({"op":"publish","id":1,"channel":")" + escaped + R"(","type":")" +
                                 escaped + R"(","key":")" + escaped + R"(","epoch":"\u0065","payload":[1,)" +
                                 "\r" + R"(2],"client":")" + escaped + R"("})";
        const command c = read(line, scratch);
        EXPECT_EQ(c.channel, plain);
        EXPECT_EQ(c.type, plain);
        EXPECT_EQ(c.key, plain);
        EXPECT_EQ(c.epoch, "e");
        EXPECT_EQ(c.client, plain);
        EXPECT_EQ(c.payload, "[1, 2]");
    }
}

TEST(command, escapes_do_not_get_around_the_rules_for_names) {  // 1.2, 1.3
    EXPECT_EQ(
        refusal_of(R"({"op":"subscribe","id":1,"channel":"a\u000ab"})"),
        R"(invalid_channel 1 "channel" has a length or a character that is not allowed)"
    );
    EXPECT_EQ(
        refusal_of(R"({"op":"publish","id":1,"channel":"a","type":"pulse\u0077ire.x","payload":1})"),
        R"(invalid_type 1 "type" has a length or a character that is not allowed)"
    );
}

// --- what is wrong ---

// Every payload that comes in passes here, whatever its command and its type.
TEST(command, refuses_payloads_that_usual_readers_refuse) {  // 3.5
    const auto refused = [](const std::string& rest, const std::string& pointer, const std::string& what) {
        std::string scratch;
        for (const std::string op :
             {R"("op":"publish","channel":"a","type":"t")", R"("op":"request","type":"t")",
              R"("op":"respond","request":1)", R"("op":"subscribe","channel":"a")"}) {
            const auto read = read_command("{" + op + R"(,"id":5,"payload":)" + rest + "}", scratch);
            ASSERT_FALSE(read) << op << rest;
            EXPECT_EQ(read.error().code, error_code::invalid_payload);
            EXPECT_EQ(read.error().id, 5u);
            EXPECT_EQ(read.error().pointer, pointer);
            EXPECT_EQ(read.error().message, "the payload cannot be read everywhere: " + what);
        }
        const auto body = read_publish_body(R"({"payload":)" + rest + "}", scratch);
        ASSERT_FALSE(body);
        EXPECT_EQ(body.error().pointer, pointer);
    };
    refused(R"({"text":"\ud800"})", "/text", "half a surrogate pair stands in a string");
    refused(R"([1,1e999])", "/1", "a number is too large for a double");
    EXPECT_EQ(refusal_of(R"({"op":"ping","id":1,"unknown":"\ud800","more":1e999})"), "none")
        << "nobody ever reads it";
}

TEST(command, tells_where_a_line_stops_being_json) {  // 3.5
    EXPECT_EQ(refusal_of("hello"), "malformed_json 0 not valid JSON, reading stopped at byte 0");
    EXPECT_EQ(refusal_of(""), "malformed_json 0 not valid JSON, reading stopped at byte 0");
    EXPECT_EQ(refusal_of(R"({"op":"ping",})"), "malformed_json 0 not valid JSON, reading stopped at byte 13");
    EXPECT_EQ(refusal_of(R"({"op":"ping"}x)"), "malformed_json 0 not valid JSON, reading stopped at byte 13");
    EXPECT_EQ(
        refusal_of(R"({"op":"ping"}{"op":"ping"})"),
        "malformed_json 0 not valid JSON, reading stopped at byte 13"
    );
    EXPECT_EQ(
        refusal_of(R"({"id":5,"op":ping})"), "malformed_json 5 not valid JSON, reading stopped at byte 13"
    );
    EXPECT_EQ(
        refusal_of("{\"op\":\"ping\",\"x\":\"\xff\"}"),
        "malformed_json 0 not valid JSON, reading stopped at byte 18"
    );
}

TEST(command, a_line_that_is_no_json_is_told_as_that_even_if_a_member_was_wrong_before) {
    EXPECT_EQ(
        refusal_of(R"({"op":5,"id":7,)"), "malformed_json 7 not valid JSON, reading stopped at byte 15"
    );
}

TEST(command, json_that_is_no_object_is_no_frame) {  // 3.1, 3.5
    for (const auto& line : texts{"[]", "5", "\"op\"", "null", " [{\"op\":\"ping\"}] "})
        EXPECT_EQ(refusal_of(line), "invalid_frame 0 a frame is a JSON object") << line;
}

TEST(command, payloads_may_nest_31_levels_inside_of_the_frame) {  // 3.5
    const auto with_levels = [](std::size_t levels) {
        return R"({"op":"publish","id":3,"channel":"a","type":"t","payload":)" + std::string(levels, '[') +
               std::string(levels, ']') + "}";
    };
    EXPECT_EQ(refusal_of(with_levels(31)), "none");
    EXPECT_EQ(refusal_of(with_levels(32)), "malformed_json 3 nested deeper than 32 levels at byte 89");
}

TEST(command, names_the_member_that_is_missing) {  // 3.5
    for (const auto& [line, missing] : std::vector<std::pair<std::string, std::string>>{
             {R"({})", "op"},
             {R"({"id":2})", "op"},
             {R"({"op":"subscribe"})", "channel"},
             {R"({"op":"unsubscribe"})", "channel"},
             {R"({"op":"history"})", "channel"},
             {R"({"op":"presence"})", "channel"},
             {R"({"op":"publish"})", "channel"},
             {R"({"op":"publish","channel":"a"})", "type"},
             {R"({"op":"publish","channel":"a","type":"t"})", "payload"},
             {R"({"op":"request"})", "id"},
             {R"({"op":"request","id":2})", "type"},
             {R"({"op":"request","id":2,"type":"t"})", "payload"},
             {R"({"op":"cancel"})", "id"},
             {R"({"op":"subscribe","channel":"a","epoch":"e"})", "offset"},
             {R"({"op":"subscribe","channel":"a","offset":3})", "epoch"}}) {
        const std::string id = line.find("\"id\":2") == std::string::npos ? "0" : "2";
        EXPECT_EQ(refusal_of(line), "invalid_frame " + id + " \"" + missing + "\" is missing") << line;
    }
}

TEST(command, knows_a_name_by_all_of_its_bytes) {  // 3.3
    std::string scratch;
    // Each would be refused or change something, were it taken for the name that it begins or ends with.
    const std::string line =
        R"({"op":"ping","id":3,"presences":7,"presence ":7,"xpresence":7,"conflated":7,"payloads":7,"i":7,"":7,)"
        R"("transiently":7,"transien":7,"timeout_ms_":7,"timeout_m":7,"backward":7,"backwardss":7,"Id":7})";
    const command c = read(line, scratch);
    EXPECT_EQ(c.op, command_op::ping);
    EXPECT_EQ(c.id, 3u);
    EXPECT_FALSE(c.presence || c.transient || c.backwards || c.has_payload());
    for (const char* const op : {"publishs", "subscrib", "unsubscribed", "", "presence1", "ping "})
        EXPECT_EQ(
            refusal_of(std::string(R"({"id":4,"op":")") + op + "\"}"),
            R"(unknown_op 4 "op" is not a command of pulsewire.v1)"
        );
}

TEST(command, refuses_unknown_operations) {
    for (const auto& op : texts{"", "Ping", "subscribed", "pings", "pin"})
        EXPECT_EQ(
            refusal_of(R"({"op":")" + op + R"(","id":4})"),
            R"(unknown_op 4 "op" is not a command of pulsewire.v1)"
        );
}

TEST(command, refuses_members_of_the_wrong_type) {
    const texts not_string = {"null", "true", "1", "[]", "{}"};
    for (const auto& key : texts{"op", "channel", "type", "key", "epoch", "session", "client"})
        for (const auto& value : not_string)
            EXPECT_EQ(
                refusal_of(R"({"id":4,"op":"ping",")" + key + "\":" + value + "}"),
                "invalid_frame 4 \"" + key + "\" must be a string"
            ) << value;
    for (const auto& key : texts{"presence", "echo", "transient", "backwards", "pongs"})
        for (const auto& value : texts{"null", "1", "0", "\"true\"", "[]"})
            EXPECT_EQ(
                refusal_of(R"({"id":4,"op":"ping",")" + key + "\":" + value + "}"),
                "invalid_frame 4 \"" + key + "\" must be true or false"
            ) << value;
}

TEST(command, refuses_numbers_that_are_no_whole_numbers_in_range) {  // 3.4
    for (const auto& key : texts{"id", "limit", "timeout_ms", "offset", "latest", "version"}) {
        const bool from_one = key == "id" || key == "limit" || key == "timeout_ms";
        const std::string least = from_one ? "1" : "0";
        texts wrong = {
            "-1",
            "-0",
            "1.0",
            "1.5",
            "1e3",
            "\"1\"",
            "null",
            "true",
            "[1]",
            "9007199254740992",
            "9999999999999999",
            "10000000000000000",
            "18446744073709551617",
            "340282366920938463463374607431768211457"};
        if (from_one) wrong.push_back("0");
        for (const auto& value : wrong)
            EXPECT_EQ(
                refusal_of(R"({"op":"ping",")" + key + "\":" + value + "}"),
                "invalid_frame 0 \"" + key + "\" must be an integer from " + least + " to 2^53-1"
            ) << value;
        for (const auto& value : texts{least, "1", "9007199254740991"})
            EXPECT_EQ(refusal_of(R"({"op":"ping",")" + key + "\":" + value + "}"), "none") << value;
    }
}

TEST(command, refuses_names_against_the_rules) {  // 1.2 to 1.4, 4.9
    struct rule {
        std::string key, code, others;
        std::size_t bytes_max;
    };
    for (const rule& r : std::vector<rule>{
             {"channel", "invalid_channel", "_-.:/@~=+$!", 255},
             {"type", "invalid_type", "_-.:/", 64},
             {"key", "invalid_frame", "_-.:", 64},
             {"epoch", "invalid_frame", "_-", 16}}) {
        const auto outcome = [&](const std::string& value) {
            return refusal_of(R"({"id":4,"op":"ping",")" + r.key + "\":\"" + value + "\"}");
        };
        const std::string refused =
            r.code + " 4 \"" + r.key + "\" has a length or a character that is not allowed";
        EXPECT_EQ(outcome(""), refused);
        EXPECT_EQ(outcome(std::string(r.bytes_max + 1, 'a')), refused);
        EXPECT_EQ(outcome(std::string(r.bytes_max, 'a')), "none");
        EXPECT_EQ(outcome("\xc3\xa9"), refused);
        for (int c = 0x20; c < 0x7f; ++c) {
            const char character = static_cast<char>(c);
            if (character == '"' || character == '\\') continue;
            const bool letter_or_digit = std::isalnum(c) != 0;
            const bool allowed = letter_or_digit || r.others.find(character) != std::string::npos;
            EXPECT_EQ(outcome(std::string("a") + character), allowed ? "none" : refused)
                << r.key << " " << character;
        }
    }
    EXPECT_EQ(
        refusal_of(R"({"op":"ping","type":"pulsewire.x"})"),
        R"(invalid_type 0 "type" has a length or a character that is not allowed)"
    );
    EXPECT_EQ(refusal_of(R"({"op":"ping","type":"pulsewire"})"), "none");
}

TEST(command, tells_the_first_thing_that_is_wrong) {
    EXPECT_EQ(
        refusal_of(R"({"op":"nope","id":-1,"channel":5})"),
        R"(unknown_op 0 "op" is not a command of pulsewire.v1)"
    );
    EXPECT_EQ(
        refusal_of(R"({"channel":5,"op":"nope","id":3})"), R"(invalid_frame 3 "channel" must be a string)"
    );
}

// --- the body of a publish over HTTP ---

TEST(command, reads_a_publish_body_over_several_lines) {  // 11.1, 2.3
    std::string scratch;
    const std::string body =
        "{\n  \"type\": \"chat.message\",\r\n  \"payload\": {\r\n    \"text\": \"a\\nb\"\n  },\n  \"key\": "
        "\"k1\", \"transient\": true\n}\n";
    const auto read = read_publish_body(body, scratch);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->op, command_op::publish);
    EXPECT_EQ(read->type, "chat.message");
    EXPECT_EQ(read->key, "k1");
    EXPECT_TRUE(read->transient);
    EXPECT_EQ(read->payload, "{      \"text\": \"a\\nb\"   }")
        << "a raw line end would break the line that carries it on";
}

TEST(command, a_publish_body_needs_a_payload_only) {  // 11.1
    std::string scratch;
    const std::string body = R"({"payload":null})";
    const auto read = read_publish_body(body, scratch);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->type, "message");
    EXPECT_EQ(read->payload, "null");
    EXPECT_EQ(body_refusal_of("{}"), R"(invalid_frame "payload" is missing)");
    EXPECT_EQ(body_refusal_of("[]"), "invalid_frame a frame is a JSON object");
    EXPECT_EQ(body_refusal_of("{\"payload\":"), "malformed_json not valid JSON, reading stopped at byte 11");
    EXPECT_EQ(
        body_refusal_of(R"({"payload":1,"type":"a b"})"),
        R"(invalid_type "type" has a length or a character that is not allowed)"
    );
    EXPECT_EQ(
        body_refusal_of(R"({"payload":1,"transient":1})"),
        R"(invalid_frame "transient" must be true or false)"
    );
    EXPECT_EQ(
        body_refusal_of(R"({"payload":1,"conflate":"a b"})"),
        R"(invalid_frame "conflate" has a length or a character that is not allowed)"
    );
}

TEST(command, a_publish_body_has_no_other_members) {  // 11.1: as in 3.3, unknown ones are ignored
    std::string scratch;
    const std::string body =
        R"({"op":5,"id":"x","channel":"a b","echo":false,"session":7,"latest":"","payload":1})";
    const auto read = read_publish_body(body, scratch);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->op, command_op::publish);
    EXPECT_TRUE(read->echo);
    EXPECT_TRUE(read->channel.empty());
}

// --- the id of a frame that is cut ---

TEST(command, finds_the_id_of_a_frame_that_is_cut_anywhere) {  // 3.6
    for (const std::string& frame : texts{
             R"({"op":"publish","id":12345,"channel":"a","type":"t","payload":{"id":9,"x":[1,2]}})",
             R"({"id":12345})", R"( { "payload" : {"id":9} , "id" : 12345 , "op":"publish"})",
             R"({"payload":"\"id\":7,","id":12345,"x":"\u00e9"})"}) {
        const std::size_t known = frame.find("12345") + 6;  // with the character behind it
        for (std::size_t size = 0; size <= frame.size(); ++size) {
            const std::string cut = frame.substr(0, size);
            EXPECT_EQ(id_of_partial_frame(cut), size >= known ? 12345u : 0u) << cut;
        }
    }
}

TEST(command, finds_no_id_where_there_is_none_or_a_wrong_one) {  // 3.6
    for (const std::string& frame : texts{
             "", "x", "[", "{}", R"({"id":"5","a)", R"({"id":-5,"a)", R"({"id":5.5,"a)", R"({"id":5e1,"a)",
             R"({"id":05,"a)", R"({"id":0,"a)", R"({"id":9007199254740992,"a)",
             R"({"id":99999999999999999999,"a)", R"({"a":"\x","id":5,)", R"("id":5,)", R"([{"id":5,"a)",
             "{}\n{\"id\":5,\"a\":1}", R"({"a":1}{"id":5,)"})
        EXPECT_EQ(id_of_partial_frame(frame), 0u) << frame;
    EXPECT_EQ(id_of_partial_frame("{\"id\":9007199254740991,"), 9007199254740991u);
    EXPECT_EQ(id_of_partial_frame("{\"id\":5}\n{\"id\":6}"), 5u) << "that of the first frame";
}

}  // namespace
}  // namespace pulsewire
