#pragma once

// What the contract suite needs of each broker: a real one, and hands on it from outside.

#include "server/broker/broker.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace pulsewire::shell {

class tested_broker {
public:
    virtual ~tested_broker() = default;
    virtual broker_options options() = 0;
    // Takes the records before `before` out of the log of partition 0.
    virtual void trim(const broker_options& of, cluster::mark before) = 0;
    // Whether it can; others keep their newest bytes, whatever they are asked, and have tests of their own.
    virtual bool trims_by_record() const { return true; }
};

// With the faults that every broker can have.
class faulty_broker : public tested_broker {
public:
    // As kill -9, and a start with the data that is there.
    virtual void restart() = 0;
    // Remembers the data, for restart_with_kept(). Ends all connections.
    virtual void keep() = 0;
    virtual void restart_with_kept() = 0;
    virtual void pause() = 0;
    virtual void resume() = 0;
};

// One whose data are a folder of a process of ours: server/testing/redis_process.hpp and its like.
template <class Process>
class broker_of_process : public faulty_broker {
public:
    void restart() override {
        server().kill();
        server().start();
    }
    void keep() override {
        server().kill();
        std::filesystem::copy(server().data(), kept(), std::filesystem::copy_options::recursive);
        server().start();
    }
    void restart_with_kept() override {
        server().kill();
        std::filesystem::remove_all(server().data());
        std::filesystem::rename(kept(), server().data());
        server().start();
    }
    void pause() override { server().pause(); }
    void resume() override { server().resume(); }

protected:
    virtual Process& server() = 0;

private:
    std::string kept() { return server().folder() + "/kept"; }
};

struct broker_kind {
    std::string name;
    // What has to be installed: a program, and the package that has it.
    std::string program;
    std::string package;
    std::unique_ptr<tested_broker> (*start)(const broker_kind& kind);  // null: this build lacks the adapter
    std::unique_ptr<faulty_broker> (*start_faulty)(const broker_kind& kind);  // null: has tests of its own
    // Why else it cannot be started here: a sentence, or empty. May be null.
    std::string (*lacks)() = nullptr;
    // One for the tests that do it no harm.
    std::shared_ptr<tested_broker> shared = {};
};

}  // namespace pulsewire::shell
