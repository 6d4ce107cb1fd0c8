module micro.example/interop/drive

go 1.24
