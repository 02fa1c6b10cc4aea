using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RpOrleans.Load;

/// <summary>Writes every key into a Redis, as its first version.</summary>
internal static class RedisFill
{
    private const int AtOnce = 64 * 1024;

    /// <summary>Fills it.</summary>
    /// <exception cref="WrongAnswerException">It did not take every key.</exception>
    public static void Fill(Options options)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, options.Ports[0]);
        var values = new Values(options.Bytes);
        var head = Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n${Values.KeyLength}\r\n");
        var between = Encoding.ASCII.GetBytes($"\r\n${options.Bytes}\r\n");
        var one = head.Length + Values.KeyLength + between.Length + options.Bytes + 2;
        var commands = new byte[Math.Max(one, AtOnce)];
        for (var key = 0; key < options.Keys;)
        {
            var (length, count) = (0, 0);
            for (; key < options.Keys && length + one <= commands.Length; key++, count++, length += one)
            {
                var command = commands.AsSpan(length, one);
                head.CopyTo(command);
                Values.WriteKey(command[head.Length..], key);
                between.CopyTo(command[(head.Length + Values.KeyLength)..]);
                values.Write(command[(head.Length + Values.KeyLength + between.Length)..], key, 0);
                "\r\n"u8.CopyTo(command[^2..]);
            }

            for (var sent = 0; sent < length;)
            {
                sent += socket.Send(commands.AsSpan(sent, length - sent));
            }

            Expect(socket, count);
        }
    }

    private static void Expect(Socket socket, int count)
    {
        Span<byte> received = stackalloc byte[4096];
        var text = new StringBuilder();
        while (text.Length < count * "+OK\r\n".Length)
        {
            var length = socket.Receive(received);
            text.Append(length > 0 ? Encoding.ASCII.GetString(received[..length]) : throw new WrongAnswerException("Redis closed the connection."));
        }

        if (text.Replace("+OK\r\n", "").Length > 0)
        {
            throw new WrongAnswerException($"Redis did not take a key: {text}");
        }
    }
}
