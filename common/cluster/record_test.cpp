#include "common/cluster/record.hpp"

#include "common/base/random.hpp"

#include <gtest/gtest.h>

namespace pulsewire::cluster {
namespace {

record of(record_body body) {
    record r;
    r.process = 0x1122334455667788;
    r.connection = 3;
    r.seq = 7;
    r.base = {41, {5, 6}};
    r.clock = {-12, 1'800'000'000'000};
    r.body = std::move(body);
    return r;
}

std::vector<record> one_of_each_kind() {
    publish_op p;
    p.channel = "room:1";
    p.type = "chat";
    p.key = "k-1";
    p.user = "ada";
    p.except = "session-1";
    p.conflate = "c";
    p.payload = std::string_view("{\"nul\":\"\0\"}", 11);
    p.content = 9;
    p.publisher = 10;
    p.accepted_ms = -1;
    publish_op passing = p;
    passing.transient = true;
    publish_op state = p;
    state.snapshot = {8, 2, 3, "offer"};
    const join_op j{"room:1", "session-1", 4, "{}", "ada", "[]"};
    const part_op part{"room:1", "session-1", 4};
    return {
        of(hello{2, true, true, "run-1"}),
        of(hello{1, false, false, ""}),
        of(operations{{p, passing, state, j, part, note_op{12, true, "a word"}}}),
        of(sign{99}),
        of(end{1, 2}),
        of(bye{}),
        of(image_chunk{{8, {1, 2}}, {3, 4}, 1, 5, "image"}),
        of(options_record{"options"}),
        of(level_record{2}),
    };
}

TEST(record, comes_back_as_it_was_written) {
    for (const record& r : one_of_each_kind()) {
        const std::string bytes = encode(r);
        const auto back = decode(bytes);
        ASSERT_TRUE(back) << sentence_of(back.error());
        EXPECT_EQ(back->process, r.process);
        EXPECT_EQ(back->connection, r.connection);
        EXPECT_EQ(back->seq, r.seq);
        EXPECT_EQ(back->base, r.base);
        EXPECT_EQ(back->clock.monotonic_ms, r.clock.monotonic_ms);
        EXPECT_EQ(back->clock.wall_ms, r.clock.wall_ms);
        EXPECT_EQ(back->body.index(), r.body.index());
        EXPECT_EQ(encode(*back), bytes);
    }
}

TEST(record, has_the_bytes_that_are_documented) {
    const std::string bytes = encode(of(end{1, 2}));
    EXPECT_EQ(bytes.substr(0, 4), std::string("PW\x01\x04", 4));
    EXPECT_EQ(bytes.substr(4, 8), "\x88\x77\x66\x55\x44\x33\x22\x11");
    EXPECT_EQ(bytes.size(), 4u + 8 * 8 + 2 * 8);
}

TEST(record, is_made_of_operations_that_are_encoded_already) {
    const record whole = one_of_each_kind()[2];
    std::string encoded;
    for (const operation& op : std::get<operations>(whole.body).all) encoded += encode(op);
    EXPECT_EQ(encode_operations(whole, encoded, std::get<operations>(whole.body).all.size()), encode(whole));
}

TEST(record, that_is_cut_anywhere_is_refused) {
    for (const record& r : one_of_each_kind()) {
        const std::string bytes = encode(r);
        for (std::size_t n = 0; n < bytes.size(); ++n)
            EXPECT_FALSE(decode(std::string_view(bytes).substr(0, n)));
        const auto longer = decode(bytes + "x");
        ASSERT_FALSE(longer);
        EXPECT_EQ(longer.error(), record_error::too_much);
    }
}

TEST(record, of_a_newer_program_is_told_from_a_foreign_entry) {
    std::string bytes = encode(of(bye{}));
    bytes[2] = 2;
    EXPECT_EQ(decode(bytes).error(), record_error::newer_format);
    bytes[2] = 1;
    bytes[3] = 100;
    EXPECT_EQ(decode(bytes).error(), record_error::newer_kind);
    EXPECT_EQ(decode("XADD").error(), record_error::foreign);
    EXPECT_EQ(decode("").error(), record_error::foreign);
    EXPECT_EQ(decode(std::string(record_bytes_max + 1, 'P')).error(), record_error::too_long);
    std::string newer_operation = encode_operations(of(bye{}), "\x09", 1);
    EXPECT_EQ(decode(newer_operation).error(), record_error::newer_kind);
}

TEST(record, with_a_value_out_of_its_range_is_refused) {
    record nobody = of(bye{});
    nobody.process = 0;
    EXPECT_EQ(decode(encode(nobody)).error(), record_error::bad_value);
    EXPECT_EQ(decode(encode(of(operations{}))).error(), record_error::bad_value);
    EXPECT_EQ(decode(encode(of(image_chunk{{1, {}}, {}, 2, 2, ""}))).error(), record_error::bad_value);
    const std::string long_name(300, 'c');
    publish_op p;
    p.channel = long_name;
    EXPECT_EQ(decode(encode(of(operations{{p}}))).error(), record_error::bad_value);
    // More operations announced than bytes there are: no room is made for them.
    EXPECT_EQ(decode(encode_operations(of(bye{}), "", 4096)).error(), record_error::bad_value);
}

TEST(record, of_hostile_bytes_is_read_or_refused_and_what_is_read_is_written_the_same) {
    std::uint64_t random = 5;
    const std::vector<record> samples = one_of_each_kind();
    std::size_t read = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = encode(samples[next_random(random, static_cast<std::uint32_t>(samples.size()))]);
        for (std::uint64_t changes = 1 + next_random(random, 3); changes > 0; --changes)
            bytes[next_random(random, static_cast<std::uint32_t>(bytes.size()))] =
                static_cast<char>(next_random(random));
        if (const auto r = decode(bytes)) {
            ++read;
            EXPECT_EQ(encode(*r), bytes);
        }
    }
    EXPECT_GT(read, 5'000u);
}

}  // namespace
}  // namespace pulsewire::cluster
