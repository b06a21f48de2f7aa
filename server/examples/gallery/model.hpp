#pragma once

// A model that follows a script: it answers the questions of the page "AI chat" from three texts, word by
// word. A reply is what pulsewire/stream reads (docs/ai.md), so any page shows it, late or cut off, and stops
// it.

#include "server/server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gallery {

// The names of the fields are those of the SDK.
struct stream_beginning {
    std::string writer;
    std::uint32_t leaseMs = 0;
};
PULSEWIRE_FIELDS(stream_beginning, writer, leaseMs)

// A piece of a reply. `n` is the length of the text before it, in UTF-16 units.
struct stream_piece {
    std::string id;
    std::uint32_t n = 0;
    std::optional<std::string> text;
    std::optional<stream_beginning> begin;
    std::optional<std::string> end;
};
PULSEWIRE_MESSAGE(stream_piece, "stream", id, n, text, begin, end)

// Somebody asks the writer to stop.
struct stream_stop {
    std::string id;
};
PULSEWIRE_MESSAGE(stream_stop, "stream.stop", id)

struct ask_question {
    std::string id;  // of the reply, too: the server's word, whatever the page wrote
    std::string text;
};
PULSEWIRE_MESSAGE(ask_question, "ask.question", id, text)

// Questions come in ask:<room>, and the replies grow in ai:<room>.
class model {
public:
    void add_to(pulsewire::server& server) {
        server.on<ask_question>("ask:", [this, &server](ask_question m, pulsewire::publish_context& c) {
            const std::string room{std::string_view(c.channel()).substr(std::string_view("ask:").size())};
            if (m.text.empty() || m.text.size() > question_bytes_max)
                return c.reject("a question has 1 to 500 bytes");
            if (replies_.size() >= replies_max) return c.reject("the model is busy; ask again in a moment");
            if (std::any_of(replies_.begin(), replies_.end(), [&](const reply& r) { return r.room == room; }))
                return c.reject("one question at a time: the model is still writing");
            m.id = "reply-" + std::to_string(++last_);
            replies_.push_back({room, m.id, answer_to(m.text)});
            server.publish("ai:" + room, piece(replies_.back(), {}, true));
            c.publish_instead(m);
        });
        server.on<stream_piece>("ai:", [](const stream_piece&, pulsewire::publish_context& c) {
            c.reject("only the model writes here");
        });
        server.on<stream_stop>("ai:", [this](const stream_stop& m, pulsewire::publish_context&) {
            for (reply& r : replies_) r.stopped = r.stopped || r.id == m.id;
        });
        server.every(word_time, [this, &server] { write(server); });
    }

private:
    static constexpr std::chrono::milliseconds word_time{60};
    static constexpr std::uint32_t lease_ms = 30'000;
    static constexpr std::size_t question_bytes_max = 500;
    static constexpr std::size_t replies_max = 100;  // that are being written
    static constexpr int pause_words = 12;           // before the first word

    struct reply {
        std::string room;
        std::string id;
        std::string_view text;
        std::size_t written = 0;
        int pause = pause_words;
        bool stopped = false;
        bool done = false;
    };

    struct answer {
        std::string_view word;  // of a question to which this is the answer
        std::string_view text;
    };

    // The texts are ASCII, so a byte is a UTF-16 unit.
    static stream_piece piece(const reply& r, std::optional<std::string> text, bool begins) {
        stream_piece p{r.id, static_cast<std::uint32_t>(r.written), std::move(text), {}, {}};
        if (begins) p.begin = stream_beginning{"model", lease_ms};
        return p;
    }

    void write(pulsewire::server& server) {
        for (reply& r : replies_) {
            if (!r.stopped && --r.pause > 0) continue;
            stream_piece p = piece(r, {}, false);
            if (!r.stopped) {
                p.text = next_word(r);
                r.written += p.text->size();
            }
            r.done = r.stopped || r.written == r.text.size();
            if (r.done) p.end = r.stopped ? "cancelled" : "complete";
            server.publish("ai:" + r.room, p);
        }
        replies_.remove_if([](const reply& r) { return r.done; });
    }

    static std::string next_word(const reply& r) {
        const std::size_t space = r.text.find(' ', r.written);
        const std::size_t after = space == std::string_view::npos ? r.text.size() : space + 1;
        return std::string(r.text.substr(r.written, after - r.written));
    }

    static std::string_view answer_to(const std::string& question) {
        for (const answer& a : answers)
            if (question.find(a.word) != std::string::npos) return a.text;
        return answers.back().text;
    }

    // The last one is the answer to everything else.
    static constexpr std::array<answer, 3> answers{
        {{"late",
          "Somebody who comes late gets the text so far in one go, and then each word as I write "
          "it.\n\n"
          "That works because I do not write into a connection. I write into a channel, and the "
          "server keeps what I have written as the state of that channel: a snapshot, and "
          "everything after it. A browser that subscribes is sent both, in order, without a seam "
          "between them. It makes no difference whether it is the browser that asked, a second tab, "
          "or a telephone on the other side of the street.\n\n"
          "So there is nothing to be resumed and no request to be held open. Whoever asks me "
          "something may close the page at once, have a coffee, and read the whole reply later on "
          "another device. The beginning will be there, and so will the end.\n\n"
          "You can try it while I write this sentence, which is long for that reason alone: let the "
          "second visitor leave and come in again, or open this page in another tab. The first "
          "thing that appears there is everything that you have read until now."},
         {"stop",
          "Stopping is a message, too. It goes to whoever writes, and not to the connection that "
          "happens to bring the words to you.\n\n"
          "That is why anybody in this room can stop me: you, the second visitor, another tab, a "
          "telephone. I hear of the request at the same time as everybody else, put down my pen, "
          "and end the reply as stopped. All readers see the same last word, because there is only "
          "one text, and the server has it.\n\n"
          "Closing the page, on the other hand, stops nothing. A page that was closed by mistake, "
          "or lost its network in a lift, should not cost you the answer that you have been waiting "
          "for. The two things are easily confused where a reply is a request that somebody holds "
          "open: there the end of a connection is the only way of saying stop.\n\n"
          "I have nothing more to say, but I can go on for a while if you would like to press the "
          "button. One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. That was the last "
          "one."},
         {"",
          "I am no model. I am a script with three texts, and I write them word by word, so that "
          "you can break things while I do.\n\n"
          "Pull the plug of one of the two visitors now. The words stop there at once, and go on at "
          "the other one's. I do not notice: I go on writing, since I write into a channel and not "
          "into a connection. Put the plug back in, and everything that was missed comes at once, "
          "from the place at which it was torn off. Nothing is missing, and nothing comes twice.\n\n"
          "Reload the page, if you like, or open it a second time. Send it to your telephone by its "
          "address. Each of them has the same text, from its first letter. When you have seen "
          "enough, stop me from any of them.\n\n"
          "A real model would be connected in the same way: a program on your own server that "
          "writes its tokens with fifteen lines of code, in a language of your choice. The rest of "
          "what you see here, the text so far, the cut connections, the late visitors and the "
          "button that stops, is what the server and the client library do by themselves."}}};

    std::list<reply> replies_;
    std::uint64_t last_ = 0;
};

}  // namespace gallery
