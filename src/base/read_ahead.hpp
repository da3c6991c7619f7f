#pragma once

namespace sonde {

/// Has the numbers of samples at hand that lie in files, before the batch comes that needs them.
/// Batches follow each other by turn(); what was asked for before it is at hand until the next one.
/// An interface, so that a program which only predicts needs no thread and no files of its own.
///
/// Threads that work on a batch say so by a Use; then read_ahead() and at_hand() mean this one.
class ReadAhead {
 public:
  class Use {
   public:
    /// Of none where `ahead` is null.
    explicit Use(ReadAhead* ahead) noexcept;
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    ReadAhead* before_;
  };

  /// By one thread, while no other asks.
  virtual void turn() noexcept = 0;

 protected:
  ~ReadAhead() = default;

 private:
  friend void read_ahead(const float*, const float*) noexcept;
  friend const float* at_hand(const float*, const float*) noexcept;

  /// False where it does not: the system may fetch them.
  virtual bool ask(const float* begin, const float* end) noexcept = 0;
  /// Where the numbers [begin, end) were read to, or `begin`.
  virtual const float* find(const float* begin, const float* end) noexcept = 0;
};

/// Numbers [begin, end) of a mapped file are needed by the next batch. Where no batch is worked on,
/// the system may fetch them. Returns at once.
void read_ahead(const float* begin, const float* end) noexcept;
/// The numbers [begin, end): where they were read to or, where they were not, `begin`.
const float* at_hand(const float* begin, const float* end) noexcept;

}  // namespace sonde
