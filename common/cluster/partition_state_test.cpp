#include "common/cluster/partition_state.hpp"

#include "common/cluster/test_log.hpp"

#include <gtest/gtest.h>

namespace pulsewire::cluster {
namespace {

// Processes.
constexpr process_id ada = 1, bob = 2;

class partition_state_test : public ::testing::Test {
protected:
    partition_state_test() {
        log.say_hello(ada);
        log.set_options(ada);
    }
    std::uint64_t head(std::string_view channel) const {
        const shared_channel* const c = log.state.channels().find(channel);
        return c == nullptr ? 0 : c->head();
    }
    test_log log;
};

TEST_F(partition_state_test, publications_get_offsets_in_the_order_of_the_log) {
    EXPECT_EQ(log.publish(ada, "room", "1"), verdict::counted);
    EXPECT_EQ(log.say_hello(bob), verdict::counted);
    EXPECT_EQ(log.publish(bob, "room", "2"), verdict::counted);
    const shared_channel& c = *log.state.channels().find("room");
    EXPECT_EQ(c.head(), 2u);
    EXPECT_EQ(c.at(1)->view().payload, "1");
    EXPECT_EQ(c.at(2)->view().payload, "2");
}

TEST_F(partition_state_test, a_record_counts_once_and_in_the_order_of_its_writer) {  // S3
    record r = log.head(ada);
    const publish_op p{"room", "t", "", "", "", "", "1"};
    EXPECT_EQ(log.write(r, operations{{p}}), verdict::counted);
    EXPECT_EQ(log.write(r, operations{{p}}), verdict::void_);  // a double
    r.seq += 2;
    EXPECT_EQ(log.write(r, operations{{p}}), verdict::void_);  // one before it is missing
    EXPECT_EQ(head("room"), 1u);
}

TEST_F(partition_state_test, a_new_connection_makes_the_older_one_void) {  // S4
    const record old = log.head(ada);
    EXPECT_EQ(log.say_hello(ada), verdict::counted);
    EXPECT_EQ(log.write(old, sign{}), verdict::void_);
    EXPECT_EQ(log.publish(ada, "room", "1"), verdict::counted);
}

TEST_F(partition_state_test, a_record_of_nobody_or_of_who_has_ended_is_void) {
    EXPECT_EQ(log.write(bob, sign{}), verdict::void_);
    log.say_hello(bob);
    EXPECT_EQ(log.write(bob, bye{}), verdict::counted);
    EXPECT_EQ(log.write(bob, sign{}), verdict::void_);
    EXPECT_EQ(log.say_hello(bob), verdict::void_);
}

TEST_F(partition_state_test, a_record_whose_writer_had_read_too_little_is_void) {
    test_log small(log_rules{.base_age_max = 3});
    small.say_hello(ada);
    const record old = small.head(ada);
    for (int i = 0; i < 4; ++i) small.state.apply("junk", small.effects);
    EXPECT_EQ(small.write(old, sign{}), verdict::void_);
    EXPECT_EQ(small.write(ada, sign{}), verdict::counted);
}

TEST_F(partition_state_test, bytes_that_are_no_record_have_a_position_and_no_effect) {
    const std::uint64_t before = log.state.chain().position();
    std::vector<effect> effects;
    EXPECT_EQ(log.state.apply("junk", effects).what, verdict::void_);
    EXPECT_EQ(log.state.chain().position(), before + 1);
    EXPECT_EQ(log.publish(ada, "room", "1"), verdict::counted);
}

// One address must not keep others off the list, through whichever nodes it comes.
TEST_F(partition_state_test, of_a_full_presence_list_the_address_with_the_most_makes_room) {
    test_log full;
    full.say_hello(ada);
    full.say_hello(bob);
    shared_options o;
    o.presence_members_max = 3;
    full.set_options(ada, o);
    const auto join = [&](process_id by, std::string_view session, std::uint64_t source) {
        join_op j;
        j.channel = "room";
        j.session = session;
        j.token = 1;
        j.source = source;
        return full.write(by, operations{{j}});
    };
    const auto lists = [&](std::string_view session) {
        bool found = false;
        for (const auto& [id, m] : full.state.channels().find("room")->members())
            found |= id.session == session;
        return found;
    };
    constexpr std::uint64_t crowd = 7, visitor = 8;
    join(ada, "z", crowd), join(bob, "a", crowd), join(ada, "m", crowd);
    // A second subscription of a listed session, at another node, is no other member.
    join(bob, "m", crowd);
    EXPECT_EQ(full.state.channels().find("room")->members().size(), 4u);
    join(bob, "v", visitor);
    EXPECT_EQ(full.count<member_gone>(), 1u);
    EXPECT_EQ(full.count<member_came>(), 1u);
    EXPECT_FALSE(lists("m"));
    EXPECT_TRUE(lists("v"));
    // Two would only change places, and one whose address is not known gets no room.
    join(ada, "w", visitor), join(ada, "x", 0);
    EXPECT_FALSE(lists("w") || lists("x"));
    EXPECT_EQ(full.state.channels().find("room")->members().size(), 3u);
    const auto again = partition_state::from_image(full.state.image(), full.rules, {});
    ASSERT_NE(again, nullptr);
    EXPECT_EQ(again->image(), full.state.image());
}

TEST_F(partition_state_test, a_record_of_a_newer_program_is_not_applied) {  // S14
    std::string newer = log.records.back();
    newer[2] = 9;
    const log_base before = log.state.chain().base();
    std::vector<effect> effects;
    EXPECT_EQ(log.state.apply(newer, effects).what, verdict::newer);
    EXPECT_EQ(log.state.chain().base(), before);
    EXPECT_EQ(log.write(ada, level_record{2}), verdict::newer);
}

TEST_F(partition_state_test, a_hello_keeps_the_epoch_when_the_incarnation_is_told_and_the_same) {  // S6
    const fingerprint epoch = log.state.epoch();
    log.say_hello(bob, "one");
    EXPECT_EQ(log.state.epoch(), epoch);
    log.say_hello(bob, "two");
    EXPECT_EQ(log.count<renewed>(), 1u);
    EXPECT_NE(log.state.epoch(), epoch);
    const fingerprint second = log.state.epoch();
    log.say_hello(bob, "");
    log.say_hello(bob, "");
    EXPECT_NE(log.state.epoch(), second);
}

TEST_F(partition_state_test, who_has_read_another_log_renews_the_epoch_whatever_is_trusted) {  // S7
    log.publish(ada, "room", "1");
    record ahead = log.head(ada);
    ahead.base.position += 5;
    EXPECT_EQ(log.write(ahead, sign{}), verdict::counted);
    EXPECT_EQ(log.count<renewed>(), 1u);
    record other = log.head(ada);
    ++other.base.chain.first;
    EXPECT_EQ(log.write(other, sign{}), verdict::counted);
    EXPECT_EQ(log.count<renewed>(), 1u);
    // Only the name has changed.
    EXPECT_EQ(head("room"), 1u);
}

TEST_F(partition_state_test, a_repeated_key_has_no_second_effect_and_another_content_is_refused) {
    log.publish(ada, "room", "1", "k");
    log.say_hello(bob);
    log.publish(bob, "room", "1", "k");
    ASSERT_EQ(log.count<repeated>(), 1u);
    EXPECT_EQ(std::get<repeated>(log.effects[0]).offset, 1u);
    log.publish(bob, "room", "2", "k");
    ASSERT_EQ(log.count<refused>(), 1u);
    EXPECT_EQ(std::get<refused>(log.effects[0]).why, refusal::key_reused);
    EXPECT_EQ(head("room"), 1u);
}

TEST_F(partition_state_test, a_publish_that_comes_late_is_refused) {  // S10
    publish_op p{"room", "t", "k", "", "", "", "1"};
    p.accepted_ms = log.state.processes().log_ms();
    for (int i = 0; i < 51; ++i) {
        log.clocks[ada].monotonic_ms += 2'000;
        log.write(ada, sign{});
    }
    log.write(ada, operations{{p}});
    ASSERT_EQ(log.count<refused>(), 1u);
    EXPECT_EQ(std::get<refused>(log.effects[0]).why, refusal::too_late);
}

TEST_F(partition_state_test, the_time_of_the_log_is_time_that_passed_and_no_clock_moves_it) {  // S10
    log.clocks[bob].monotonic_ms = 1'000'000'000;
    log.say_hello(bob);
    EXPECT_EQ(log.state.processes().log_ms(), 0);
    log.clocks[bob].monotonic_ms += 500;
    log.write(bob, sign{});
    EXPECT_EQ(log.state.processes().log_ms(), 500);
    log.clocks[bob].monotonic_ms += 3'600'000;  // set, or asleep
    log.write(bob, sign{});
    EXPECT_EQ(log.state.processes().log_ms(), 2'500);
    log.clocks[bob].monotonic_ms -= 7'200'000;
    log.write(bob, sign{});
    EXPECT_EQ(log.state.processes().log_ms(), 2'500);
    // Another process counts from its own hello, so what passes is counted once.
    log.clocks[ada].monotonic_ms += 1'000;
    log.write(ada, sign{});
    EXPECT_EQ(log.state.processes().log_ms(), 2'500);
}

TEST_F(partition_state_test, the_shown_time_never_runs_back_nor_far_ahead_of_its_writer) {
    log.clocks[bob].wall_ms = 1'000'000;
    log.say_hello(bob);
    log.clocks[bob].wall_ms += 60'000;  // the clock was set
    log.publish(bob, "room", "1");
    log.clocks[bob].wall_ms -= 120'000;
    log.publish(bob, "room", "2");
    const shared_channel& c = *log.state.channels().find("room");
    EXPECT_EQ(c.at(1)->time_ms, 1'002'000);
    EXPECT_EQ(c.at(2)->time_ms, 1'002'000);
}

TEST_F(partition_state_test, an_end_counts_only_while_it_names_the_last_record) {  // S9
    log.say_hello(bob);
    const std::uint64_t last = log.state.processes().find(bob)->last;
    log.write(bob, sign{});
    EXPECT_EQ(log.write(ada, end{bob, last}), verdict::counted);
    EXPECT_NE(log.state.processes().find(bob), nullptr);
    EXPECT_EQ(log.write(ada, end{bob, log.state.processes().find(bob)->last}), verdict::counted);
    EXPECT_EQ(log.state.processes().find(bob), nullptr);
    EXPECT_EQ(log.count<process_ended>(), 1u);
}

TEST_F(partition_state_test, a_session_is_present_until_its_last_subscription_parts) {  // S13
    log.say_hello(bob);
    log.join(ada, "session-1", 1);
    EXPECT_EQ(log.count<member_came>(), 1u);
    log.join(bob, "session-1", 2);
    EXPECT_EQ(log.count<member_came>(), 0u);
    log.write(ada, operations{{part_op{"room", "session-1", 2}}});  // not its own
    EXPECT_EQ(log.state.channels().find("room")->members().size(), 2u);
    log.write(ada, operations{{part_op{"room", "session-1", 1}}});
    EXPECT_EQ(log.count<member_gone>(), 0u);
    log.write(bob, bye{});
    EXPECT_EQ(log.count<member_gone>(), 1u);
}

TEST_F(partition_state_test, presence_is_bounded) {
    test_log small;
    small.say_hello(ada);
    shared_options o;
    o.presence_members_max = 1;
    o.channels_max = 1;
    small.set_options(ada, o);
    small.join(ada, "session-1", 1);
    small.join(ada, "session-2", 2);
    EXPECT_EQ(small.count<member_came>(), 0u);
    EXPECT_EQ(small.state.channels().find("room")->members().size(), 1u);
    small.publish(ada, "another", "1");
    ASSERT_EQ(small.count<refused>(), 1u);
    EXPECT_EQ(std::get<refused>(small.effects[0]).why, refusal::full);
}

TEST_F(partition_state_test, the_first_options_count_and_no_others) {
    shared_options other;
    other.presence_members_max = 7;
    EXPECT_EQ(log.set_options(ada, other), verdict::counted);
    EXPECT_TRUE(log.state.channels().options()->agrees_with(shared_options{}));
}

TEST_F(partition_state_test, histories_give_up_their_oldest_when_all_are_too_large) {
    test_log small;
    small.say_hello(ada);
    shared_options o;
    o.default_namespace.history_count_max = 3;
    o.history_bytes_total_max = 3'300;
    small.set_options(ada, o);
    for (int i = 0; i < 5; ++i) small.publish(ada, "first", "payload");
    EXPECT_EQ(small.state.channels().find("first")->oldest(), 3u);
    for (int i = 0; i < 3; ++i) small.publish(ada, "second", std::string(500, 'x'));
    const shared_channel& first = *small.state.channels().find("first");
    EXPECT_EQ(first.head(), 5u);
    EXPECT_GT(first.oldest(), 3u);
    EXPECT_EQ(small.state.channels().find("second")->oldest(), 1u);
}

TEST_F(partition_state_test, a_forgotten_channel_comes_back_under_another_epoch) {  // S12
    log.publish(ada, "room", "1");
    const channel_epoch before = log.state.epoch_of("room");
    for (int i = 0; i < 1'801; ++i) {
        log.clocks[ada].monotonic_ms += 2'000;
        log.write(ada, sign{});
    }
    EXPECT_EQ(log.state.channels().find("room"), nullptr);
    EXPECT_NE(log.state.epoch_of("room"), before);
    EXPECT_NE(text_of(log.state.epoch_of("room")), text_of(before));
    EXPECT_EQ(text_of(before).size(), 16u);
}

TEST_F(partition_state_test, signs_tell_whether_copies_are_the_same) {  // S14
    log.publish(ada, "room", "1");
    log.write(ada, sign{log.state.chain().newest().digest});
    EXPECT_EQ(log.count<digest_differs>(), 0u);
    log.write(ada, sign{log.state.chain().newest().digest + 1});
    EXPECT_EQ(log.count<digest_differs>(), 1u);
}

TEST_F(partition_state_test, a_checkpoint_counts_whole_from_one_connection_and_of_this_log) {  // S11
    test_log small(log_rules{.checkpoint_bytes = 400});
    small.say_hello(ada);
    const log_base at = small.state.chain().base();
    const auto chunk = [&](std::uint32_t index) { return image_chunk{at, {7, 0}, index, 2, "half"}; };
    small.write(ada, chunk(0));
    small.say_hello(ada);
    small.write(ada, chunk(1));
    EXPECT_TRUE(small.state.checkpoints().empty());
    small.write(ada, chunk(0));
    EXPECT_TRUE(small.state.checkpoint_begun());
    small.write(ada, chunk(1));
    ASSERT_EQ(small.state.checkpoints().size(), 1u);
    EXPECT_EQ(small.state.checkpoints()[0].at, at);
    // So close to the last that nothing is gained, and both may be lost at once.
    const log_base close = {at.position + 1, small.state.chain().at(at.position + 1)->chain};
    small.write(ada, image_chunk{close, {8, 0}, 0, 1, "whole"});
    EXPECT_EQ(small.state.checkpoints().size(), 1u);
    const log_base foreign = {small.state.chain().position(), {1, 1}};
    small.write(ada, image_chunk{foreign, {9, 0}, 0, 1, "whole"});
    EXPECT_EQ(small.state.checkpoints().size(), 1u);
    small.write(ada, image_chunk{small.state.chain().base(), {9, 0}, 0, 1, "whole"});
    EXPECT_EQ(small.state.checkpoints().size(), 2u);
}

TEST_F(partition_state_test, a_copy_from_an_image_goes_on_as_the_one_it_was_taken_of) {
    log.say_hello(bob);
    log.join(bob, "session-1", 1);
    for (int i = 0; i < 20; ++i)
        log.publish(i % 2 == 0 ? ada : bob, i % 3 == 0 ? "room" : "hall", "p", std::to_string(i));
    log.write(bob, image_chunk{log.state.chain().base(), {1, 0}, 0, 2, "half"});
    const std::string image = log.state.image();
    const auto copy = partition_state::from_image(image, log.rules, {5, 6});
    ASSERT_NE(copy, nullptr);
    EXPECT_EQ(copy->image(), image);
    const std::size_t from = log.records.size();
    for (int i = 10; i < 30; ++i) {
        log.clocks[ada].monotonic_ms += 100;
        log.publish(ada, "room", "p", std::to_string(i));
    }
    log.write(bob, bye{});
    std::vector<effect> effects;
    for (std::size_t i = from; i < log.records.size(); ++i) copy->apply(log.records[i], effects);
    EXPECT_EQ(copy->image(), log.state.image());
    EXPECT_EQ(copy->chain().newest().digest, log.state.chain().newest().digest);
}

TEST_F(partition_state_test, an_image_that_is_cut_is_none) {
    log.publish(ada, "room", "1", "k");
    log.join(ada, "session-1", 1);
    const std::string image = log.state.image();
    for (std::size_t n = 0; n < image.size(); ++n)
        EXPECT_EQ(partition_state::from_image(std::string_view(image).substr(0, n), log.rules, {}), nullptr);
    EXPECT_EQ(partition_state::from_image(image + "x", log.rules, {}), nullptr);
}

}  // namespace
}  // namespace pulsewire::cluster
