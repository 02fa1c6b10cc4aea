using System.Text;

namespace RpOrleans.Load;

/// <summary>Puts requests into bytes, as the server wants to be asked.</summary>
internal sealed class Requests(Language language, Values values)
{
    private readonly byte[] _value = new byte[values.Length];

    /// <summary>Writes a read of one key.</summary>
    /// <returns>Its length.</returns>
    public int Read(ref byte[] to, int key)
    {
        var at = Put(ref to, 0, language == Language.Webdis ? "GET /GET/"u8 : "GET /get/"u8);
        at = PutKey(ref to, at, key);
        return Put(ref to, at, " HTTP/1.1\r\nHost: localhost\r\n\r\n"u8);
    }

    /// <summary>Writes a read of many keys.</summary>
    /// <returns>Its length.</returns>
    public int ReadMany(ref byte[] to, ReadOnlySpan<int> keys)
    {
        var at = 0;
        if (language == Language.Webdis)
        {
            at = Put(ref to, at, "GET /MGET"u8);
            foreach (var key in keys)
            {
                at = Put(ref to, at, "/"u8);
                at = PutKey(ref to, at, key);
            }

            return Put(ref to, at, " HTTP/1.1\r\nHost: localhost\r\n\r\n"u8);
        }

        var length = (keys.Length * (Values.KeyLength + 3)) - 1 + "{\"keys\":[]}".Length;
        at = Put(ref to, at, Encoding.ASCII.GetBytes($"POST /v1/keys:batchGet HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{\"keys\":["));
        for (var i = 0; i < keys.Length; i++)
        {
            at = Put(ref to, at, i == 0 ? "\""u8 : ",\""u8);
            at = PutKey(ref to, at, keys[i]);
            at = Put(ref to, at, "\""u8);
        }

        return Put(ref to, at, "]}"u8);
    }

    /// <summary>Writes a write.</summary>
    /// <returns>Its length.</returns>
    public int Write(ref byte[] to, int key, long version)
    {
        int at;
        values.Write(_value, key, version);
        if (language == Language.Webdis)
        {
            at = Put(ref to, 0, "PUT /SET/"u8);
            at = PutKey(ref to, at, key);
            at = Put(ref to, at, Encoding.ASCII.GetBytes($" HTTP/1.1\r\nHost: localhost\r\nContent-Length: {_value.Length}\r\n\r\n"));
            return Put(ref to, at, _value);
        }

        var length = "{\"k\":\"\",\"v\":\"\"}".Length + Values.KeyLength + _value.Length;
        at = Put(ref to, 0, Encoding.ASCII.GetBytes($"POST /set HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{\"k\":\""));
        at = PutKey(ref to, at, key);
        at = Put(ref to, at, "\",\"v\":\""u8);
        at = Put(ref to, at, _value);
        return Put(ref to, at, "\"}"u8);
    }

    private static int PutKey(ref byte[] to, int at, int key)
    {
        Room(ref to, at + Values.KeyLength);
        Values.WriteKey(to.AsSpan(at), key);
        return at + Values.KeyLength;
    }

    private static int Put(ref byte[] to, int at, ReadOnlySpan<byte> what)
    {
        Room(ref to, at + what.Length);
        what.CopyTo(to.AsSpan(at));
        return at + what.Length;
    }

    private static void Room(ref byte[] to, int length)
    {
        if (to.Length < length)
        {
            Array.Resize(ref to, Math.Max(length, 2 * to.Length));
        }
    }
}
