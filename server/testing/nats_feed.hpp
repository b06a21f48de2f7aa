#pragma once

// NATS JetStream for the contract suite of feeds.

#include "server/base/freed_by.hpp"
#include "server/feed/tested_source.hpp"
#include "server/testing/nats_process.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::testing {

class nats_feed : public shell::feed::tested_source {
public:
    nats_feed() {
        server_(
            "$JS.API.STREAM.CREATE.ORDERS", R"({"name":"ORDERS","subjects":["orders.>"],"storage":"file"})"
        );
        server_("$JS.API.STREAM.CREATE.BAD", R"({"name":"BAD","subjects":["bad"],"storage":"file"})");
    }
    std::string address() override { return "nats://" + server_.at(); }
    std::string from() override { return "orders.>"; }
    std::string dead_letters() override { return "bad"; }
    // The key is a part of the subject where a subject can have it.
    void write(const std::string& key, const std::string& value) override {
        writer_.publish("orders." + key, value, server_.at());
    }
    std::string dead() override {
        std::string all;
        for (int i = 1; i <= 10; ++i) {
            const auto answer = nlohmann::json::parse(
                server_("$JS.API.STREAM.MSG.GET.BAD", "{\"seq\":" + std::to_string(i) + "}"), nullptr, false
            );
            if (!answer.is_object() || !answer.contains("message")) break;
            all += decoded(answer["message"]["data"].get<std::string>()) + "\n";
        }
        return all;
    }
    std::size_t left() override {
        const auto info =
            nlohmann::json::parse(server_("$JS.API.CONSUMER.INFO.ORDERS.pulsewire-shop"), nullptr, false);
        if (!info.is_object() || !info.contains("num_pending")) return 1;
        return info["num_pending"].get<std::size_t>() + info["num_ack_pending"].get<std::size_t>();
    }
    void restart() override {
        server_.kill();
        server_.start();
    }

private:
    // A connection for all that is written. A record whose answer is lost with the server is sent again,
    // under an id by which the stream takes it once.
    class writer {
    public:
        ~writer() { natsConnection_Destroy(made_); }
        void publish(const std::string& subject, const std::string& value, const std::string& at) {
            const std::unique_ptr<natsMsg, freed_by<natsMsg_Destroy>> record = made(subject, value);
            for (int attempt = 0; attempt < 100; ++attempt) {
                if (is_connected(at) && is_kept(record.get())) return;
                natsConnection_Destroy(std::exchange(made_, nullptr));
            }
            throw std::runtime_error("NATS takes nothing");
        }

    private:
        std::unique_ptr<natsMsg, freed_by<natsMsg_Destroy>> made(
            const std::string& subject, const std::string& value
        ) {
            natsMsg* record = nullptr;
            natsMsg_Create(&record, subject.c_str(), nullptr, value.data(), static_cast<int>(value.size()));
            natsMsgHeader_Set(record, "Nats-Msg-Id", std::to_string(++written_).c_str());
            return std::unique_ptr<natsMsg, freed_by<natsMsg_Destroy>>(record);
        }
        bool is_connected(const std::string& at) {
            return made_ != nullptr || natsConnection_ConnectTo(&made_, ("nats://" + at).c_str()) == NATS_OK;
        }
        bool is_kept(natsMsg* record) {
            natsMsg* told = nullptr;
            if (natsConnection_RequestMsg(&told, made_, record, 2'000) != NATS_OK) return false;
            const std::unique_ptr<natsMsg, freed_by<natsMsg_Destroy>> answer(told);
            return std::string_view(natsMsg_GetData(told)).find("\"seq\"") != std::string_view::npos;
        }

        natsConnection* made_ = nullptr;
        std::uint64_t written_ = 0;
    };

    static std::string decoded(const std::string& base64) {
        static const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        std::string bytes;
        unsigned value = 0;
        int bits = 0;
        for (const char c : base64) {
            if (c == '=') break;
            value = value << 6 | static_cast<unsigned>(digits.find(c));
            if ((bits += 6) >= 8) bytes += static_cast<char>(value >> (bits -= 8) & 0xff);
        }
        return bytes;
    }

    nats_process server_;
    writer writer_;
};

inline shell::feed::source_kind tested_nats() {
    return {
        "nats",
        [] {
            return is_installed("nats-server") ? std::string() : std::string("nats-server is not installed");
        },
        []() -> std::unique_ptr<shell::feed::tested_source> { return std::make_unique<nats_feed>(); }};
}

}  // namespace pulsewire::testing
