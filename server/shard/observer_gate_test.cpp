#include "server/shard/observer_gate.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell {
namespace {

class narrow_observer : public observer_port {
public:
    explicit narrow_observer(int room) : room_(room) {}
    void post(std::vector<hub::to_observer>&&) override {}
    bool admit() override { return room_-- > 0; }
    hub::interests wants() const override { return {}; }

private:
    int room_;
};

// What one observer that has this room does with a message.
class judged {
public:
    explicit judged(int room) : observer_(room) {}
    observer_gate::verdict operator()(hub::to_observer m) {
        return observer_gate(list_).judge({0, std::move(m)});
    }

private:
    narrow_observer observer_;
    observer_port* list_[1] = {&observer_};
};

hub::client_publish publish(std::uint64_t id) {
    hub::client_publish p;
    p.what.from = {2, 17};
    p.what.id = id;
    return p;
}

TEST(observer_gate, what_has_room_passes_and_what_has_none_is_answered_overloaded) {
    judged gate(1);
    EXPECT_TRUE(gate(publish(7)).passes);
    const auto refused = gate(publish(8));
    EXPECT_FALSE(refused.passes);
    ASSERT_TRUE(refused.answer);
    const auto& answer = std::get<hub::reply>(*refused.answer);
    EXPECT_EQ(answer.to.value, 17u);
    EXPECT_EQ(answer.what->id, 8u);
    EXPECT_EQ(answer.what->code, error_code::overloaded);
    EXPECT_EQ(answer.ends_request, 0u);
}

TEST(observer_gate, a_refused_request_is_ended) {
    hub::client_request request;
    request.from = {2, 17};
    request.id = 9;
    const auto refused = judged(0)(request);
    ASSERT_TRUE(refused.answer);
    EXPECT_EQ(std::get<hub::reply>(*refused.answer).ends_request, 9u);
}

TEST(observer_gate, what_nobody_has_room_to_permit_is_refused) {
    hub::authorize asked;
    asked.who = {2, 17};
    asked.number = 5;
    const auto refused = judged(0)(asked);
    ASSERT_TRUE(refused.answer);
    const auto& word = std::get<hub::authorized>(*refused.answer);
    EXPECT_EQ(word.number, 5u);
    EXPECT_EQ(word.refused, error_code::overloaded);
}

TEST(observer_gate, a_refused_publish_without_an_id_is_left_out_without_a_word) {
    const auto refused = judged(0)(publish(0));
    EXPECT_FALSE(refused.passes);
    EXPECT_FALSE(refused.answer);
}

TEST(observer_gate, news_passes_however_full_the_application_is) {
    EXPECT_TRUE(judged(0)(hub::disconnected{}).passes);
}

}  // namespace
}  // namespace pulsewire::shell
