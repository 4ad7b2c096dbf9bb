/// What `job init -short` writes.
let exampleJobShort = """
  job "example" {
    group "web" {
      network {
        port "http" {}
      }

      task "server" {
        driver = "exec"

        config {
          command = "/bin/sh"
          args = ["-c", <<-EOS
            echo "hello from $NOMAD_ALLOC_NAME, port $NOMAD_PORT_http"
            trap 'echo bye; exit 0' INT TERM
            while true; do date; sleep 5 & wait; done
          EOS
          ]
        }

        resources {
          cpu    = 100
          memory = 64
        }
      }
    }
  }

  """

/// What `job init` writes: the same with a word on each part.
let exampleJob = """
  # One service that runs a shell script in isolation. Start it with:  serai job run example.nomad.hcl
  job "example" {
    # service: runs until it is stopped; batch: runs until it is done.
    type = "service"

    # Nodes of these datacenters may run it; "*" matches any.
    datacenters = ["*"]

    # A new version replaces the old one one allocation at a time; each must run for ten seconds before the next.
    update {
      max_parallel     = 1
      min_healthy_time = "10s"
      healthy_deadline = "3m"
    }

    # A group's tasks always run together on one node. count says how many of the group run.
    group "web" {
      count = 1

      network {
        # A free port of the node; tasks read it from NOMAD_PORT_http. `static = 8080` would ask for that one.
        port "http" {}
      }

      # When a task fails it is started again on its node, at most twice within half an hour.
      restart {
        attempts = 2
        interval = "30m"
        delay    = "15s"
        mode     = "fail"
      }

      task "server" {
        # exec: a command in its own root file system and namespaces, as user nobody.
        driver = "exec"

        config {
          command = "/bin/sh"
          args = ["-c", <<-EOS
            echo "hello from $NOMAD_ALLOC_NAME, port $NOMAD_PORT_http"
            trap 'echo bye; exit 0' INT TERM
            while true; do date; sleep 5 & wait; done
          EOS
          ]
        }

        # Environment of the task; ${...} is filled in on the node where it runs.
        env {
          GREETING = "hello from ${node.unique.name}"
        }

        # What the task is promised: MHz of processor and MB of memory. More memory than this ends it.
        resources {
          cpu    = 100
          memory = 64
        }
      }
    }
  }

  """
