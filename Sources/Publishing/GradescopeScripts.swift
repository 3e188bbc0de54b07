/// The scripts that Gradescope runs: `setup.sh` once, when the image is built, and `run_autograder` for each submission.
///
/// `AUTOGRADER_ROOT` stands in for `/autograder` where they are tried out elsewhere.
enum GradescopeScripts {
  /// The toolchain that is installed if the image has none of this version.
  static let swiftVersion = "6.3.1"
  /// The fingerprint of the key that signs Swift 6 releases, as <https://www.swift.org/keys/> gives it.
  static let signingKey = "52BB7E3DE28A71BE22EC05FFEF80A866B47A981F"

  /// MiB of address space for a case and for the compiler, of which far less is in use: a container has 768 MB.
  static let memoryLimit = 384
  static let buildMemoryLimit = 6144

  static let setup = #"""
    #!/usr/bin/env bash
    # Builds the image: system packages, the Swift toolchain, the libraries and the lesson. A submission then costs one file.
    set -euo pipefail
    root=${AUTOGRADER_ROOT:-/autograder}
    . "$root/source/configuration"
    export DEBIAN_FRONTEND=noninteractive

    install_packages() {
      dpkg -s libopenblas-dev libpng-dev pkg-config git >/dev/null 2>&1 && has_swift && return
      apt-get update -qq
      # What swift.org names for Ubuntu, and what the course's libraries need.
      apt-get install -y -qq --no-install-recommends ca-certificates curl gnupg git binutils g++ pkg-config tzdata \
        libcurl4-openssl-dev libedit2 libpython3-dev libsqlite3-0 libxml2-dev libz3-dev zlib1g-dev libopenblas-dev libpng-dev
    }

    has_swift() {
      export PATH=$PATH:/opt/swift/usr/bin
      case $(swift --version 2>/dev/null) in *"Swift version $SWIFT_VERSION "*) ;; *) return 1 ;; esac
    }

    install_swift() {
      has_swift && return
      local version platform archive url folder signature
      version=$(. /etc/os-release && echo "$VERSION_ID")
      platform=ubuntu$version
      [ "$(uname -m)" = aarch64 ] && platform=$platform-aarch64
      archive=swift-$SWIFT_VERSION-RELEASE-$platform.tar.gz
      url=https://download.swift.org/swift-$SWIFT_VERSION-release/${platform//./}/swift-$SWIFT_VERSION-RELEASE/$archive
      folder=$(mktemp -d)
      curl -fsSL --retry 3 -o "$folder/swift.tar.gz" "$url"
      curl -fsSL --retry 3 -o "$folder/swift.sig" "$url.sig"
      curl -fsSL --retry 3 https://www.swift.org/keys/all-keys.asc | GNUPGHOME=$folder gpg --batch --quiet --import
      # The signature, by the one key that signs these releases, stands for the checksum.
      signature=$(GNUPGHOME=$folder gpg --batch --status-fd 1 --verify "$folder/swift.sig" "$folder/swift.tar.gz" 2>&1 || true)
      case $signature in
        *"VALIDSIG "*"$SWIFT_SIGNING_KEY"*) ;;
        *) echo "error: $url has no valid signature: $signature"; exit 1 ;;
      esac
      mkdir -p /opt/swift
      tar -xzf "$folder/swift.tar.gz" -C /opt/swift --strip-components=1
      rm -rf "$folder"
      has_swift
    }

    build() { # PORTABLE: submissions may run on another processor than the one that built the image.
      cd "$root/source/course"
      export PORTABLE=1 LESSONS=$LESSON
      swift build --product course
      swift build --product "$LESSON"
    }

    install_packages
    install_swift
    build
    # Solutions, known mistakes and the private seed lie here.
    chmod -R go-rwx "$root/source"
    """# + "\n"

  static let run = #"""
    #!/usr/bin/env bash
    # Grades one submission, and leaves results/results.json whatever happens.
    set -u
    root=${AUTOGRADER_ROOT:-/autograder}
    results=$root/results
    export PATH=$PATH:/opt/swift/usr/bin PORTABLE=1
    . "$root/source/configuration"
    export LESSONS=$LESSON
    work=$(mktemp -d)
    chmod 711 "$work"
    trap 'rm -rf "$work"' EXIT

    publish() { # publish FILE: in one step, so that there is never half a file
      cp "$1" "$results/results.json.new" && mv "$results/results.json.new" "$results/results.json"
    }

    mkdir -p "$results"
    # Without a score Gradescope counts the submission as not graded: neither zero nor full marks for a fault of ours.
    cat >"$work/ungraded.json" <<'END'
    {
      "output": "This submission was not graded: the autograder stopped before it had a result. That is not a fault of yours; please tell your instructors, who can run it again.",
      "output_format": "text",
      "visibility": "visible"
    }
    END
    publish "$work/ungraded.json"

    cd "$root/source/course" || exit 0
    mkdir "$work/submissions"
    cp -R --no-dereference --no-preserve=ownership "$root/submission" "$work/submissions/submission"
    # Gradescope ends everything after ten minutes; before that, what there is must be written.
    timeout --signal=TERM --kill-after=20 "$TIME_LIMIT" \
      .build/debug/course grade "$work/submissions" --out "$work/grades" --lesson "$LESSON" \
      --private-seed "$PRIVATE_SEED" --jobs 1 --sandbox uid --skip-build \
      --time-limit 5 --memory-limit "$MEMORY_LIMIT" --build-memory-limit "$BUILD_MEMORY_LIMIT"
    status=$?
    result=$work/grades/students/submission/results.json
    [ -s "$result" ] && publish "$result"
    echo "course grade ended with status $status after $SECONDS s"
    """# + "\n"
}
