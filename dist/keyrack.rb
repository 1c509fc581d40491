# A formula for Homebrew on Linux. `dist/package FOLDER --only formula` writes it with the address and the checksum of the sources.
class Keyrack < Formula
  desc "Terminal console and gate for API keys"
  homepage "@URL@"
  url "@URL@/keyrack-@VERSION@.tar.gz"
  sha256 "@SHA256@"
  license "MIT"

  depends_on "rust" => :build
  depends_on :linux

  def install
    system "cargo", "install", *std_cargo_args
    system bin/"keyrack", "man", "man1"
    man1.install Dir["man1/*.1"]
    generate_completions_from_executable(bin/"keyrack", "completions", shells: [:bash, :zsh, :fish])
  end

  test do
    ENV["HOME"] = testpath.to_s
    system bin/"keyrack", "issuer", "add", "voxpria"
    assert_match "voxpria", shell_output("#{bin}/keyrack issuer list")
  end
end
