# `nix build '.?dir=dist'` in the repository, and `nix run '.?dir=dist' -- --demo`. The vendored crates are those of Cargo.lock.
{
  description = "The terminal console for API keys";

  inputs.nixpkgs.url = "nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = (builtins.fromTOML (builtins.readFile ../Cargo.toml)).package;
    in
    {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = manifest.name;
          version = manifest.version;
          src = ../.;
          cargoLock.lockFile = ../Cargo.lock;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          # They want PostgreSQL, proxies and a terminal: `tests/run` in a checkout.
          doCheck = false;
          postInstall = ''
            export HOME=$TMPDIR
            $out/bin/keyrack man man1
            installManPage man1/*.1
            for shell in bash zsh fish; do $out/bin/keyrack completions $shell > keyrack.$shell; done
            installShellCompletion keyrack.{bash,zsh,fish}
          '';
          meta = {
            description = manifest.description;
            license = pkgs.lib.licenses.mit;
            mainProgram = "keyrack";
            platforms = systems;
          };
        };
      });
    };
}
